//! Conversations about a search that finds something, nothing, or nearly something.

use super::{check, check_from};
use crate::contract::agent::{ListingType, PetWish, Slots};

#[test]
fn finds_what_fits_and_answers_about_it() {
    check(
        r#"
        > 2 bed flats in Portland under $400k to buy
        property_search done
        I found 3 homes for sale in Portland with at least 2 bedrooms at up to $400,000.
        show L-0001 L-0002 L-0003 of 3
        > Does the second one have parking?
        listing_question done
        Sellwood bungalow near the river has parking.
        about L-0002
        > And the third one? Does it allow pets?
        listing_question done
        The listing of Kenton townhouse by the park does not say whether pets are allowed.
        about L-0003
        > Is it furnished? And how big is it?
        listing_question done
        Kenton townhouse by the park is not furnished. Kenton townhouse by the park has 1,120
        square feet.
        about L-0003
        > the fourth one, does it have laundry?
        listing_question done
        I have shown you three homes so far, so I cannot tell which you mean.
        > How much are the first and the last one?
        listing_question done
        Lloyd District condo with a balcony is $329,000. Kenton townhouse by the park is $389,900.
        about L-0001 L-0003
        > Which one is cheaper?
        listing_question done
        Lloyd District condo with a balcony is $329,000.
        about L-0001
        > Tell me more about the second
        listing_question done
        Sellwood bungalow near the river: $358,500, 2 bedrooms, 1 bath. It has 1,010 square feet.
        It has parking. It allows cats and dogs. It has laundry. It was built in 1926. It is
        available from 2026-09-15. It is in Portland.
        about L-0002
        = {listing_type:buy,city:Portland,price_max:400000,beds_min:2,firm:[price_max]}
        "#,
    );
}

#[test]
fn offers_a_higher_price_and_goes_on_with_it_once_accepted() {
    check(
        r#"
        > 3 bedroom house to buy in Bend under 450k
        property_search need
        I found no home for sale in Bend with at least 3 bedrooms at up to $450,000. If you go up
        to $479,000 instead of $450,000, these 2 homes fit. Shall I go on with that? Otherwise I
        have 7 in 3 other cities or 2 with 2 bedrooms.
        show L-0051 L-0052 of 2
        relaxed to find 2
        {constraint:price_max,from:450000,to:479000}
        > Does the second one have parking?
        listing_question need
        The listing of Boyd Acres house on a corner lot does not say whether there is parking.
        about L-0052
        > Yes. Are pets allowed?
        accept_relaxation done
        Good, from now on I look for homes for sale in Bend with at least 3 bedrooms at up to
        $479,000. You have seen all of them. Boyd Acres house on a corner lot allows cats and
        dogs.
        about L-0052
        > show me more
        more done
        You have seen every home for sale in Bend with at least 3 bedrooms at up to $479,000 that
        I have. Tell me what to change, and I will look again.
        = {listing_type:buy,city:Bend,price_max:479000,beds_min:3,firm:[price_max]}
        "#,
    );
}

#[test]
fn keeps_the_search_when_a_relaxation_is_refused() {
    check(
        r#"
        > 3 bedrooms in Bend under 450k
        property_search need
        I found no home for sale in Bend with at least 3 bedrooms at up to $450,000. If you go up
        to $479,000 instead of $450,000, these 2 homes fit. Shall I go on with that? Otherwise I
        have 7 in 3 other cities or 2 with 2 bedrooms.
        show L-0051 L-0052 of 2
        relaxed to find 2
        {constraint:price_max,from:450000,to:479000}
        > no, stay under 450k
        refuse_relaxation done
        All right, I stay with homes for sale in Bend with at least 3 bedrooms at up to $450,000.
        Tell me what else to change, and I will look again.
        > anything else?
        more need
        I found no home for sale in Bend with at least 3 bedrooms at up to $450,000. If you look
        in Salem instead of Bend, these 3 fit, the closest of 7 near matches. Shall I go on with
        that? Otherwise I have 2 with 2 bedrooms.
        show L-0023 L-0024 L-0025 of 7
        relaxed to find 7
        {constraint:city,from:Bend,to:[Salem]}
        = {listing_type:buy,city:Bend,price_max:450000,beds_min:3,hard:[price_max]}
        "#,
    );
}

#[test]
fn stretches_a_limit_less_than_a_mere_budget() {
    check(
        r#"
        > homes for sale in Bend with 4 bedrooms, at most 550k
        property_search need
        I found no home for sale in Bend with at least 4 bedrooms at up to $550,000. If you look
        in Salem instead of Bend, this home fits. Shall I go on with that? Otherwise I have 3 with
        3 bedrooms.
        show L-0027 of 1
        relaxed to find 1
        {constraint:city,from:Bend,to:[Salem]}
        > I want to buy a 4 bedroom home in Bend, budget 550k
        property_search need
        I found no home for sale in Bend with at least 4 bedrooms at up to $550,000. If you go up
        to $649,000 instead of $550,000, this home fits. Shall I go on with that? Otherwise I have
        1 in Salem or 3 with 3 bedrooms.
        show L-0054 of 1
        relaxed to find 1
        {constraint:price_max,from:550000,to:649000}
        = {listing_type:buy,city:Bend,price_max:550000,beds_min:4}
        "#,
    );
}

#[test]
fn never_stretches_what_must_be() {
    check(
        r#"
        > 3 bedrooms in Bend to buy, must be under 450k
        property_search need
        I found no home for sale in Bend with at least 3 bedrooms at up to $450,000. If you look
        in Salem instead of Bend, these 3 fit, the closest of 7 near matches. Shall I go on with
        that? Otherwise I have 2 with 2 bedrooms.
        show L-0023 L-0024 L-0025 of 7
        relaxed to find 7
        {constraint:city,from:Bend,to:[Salem]}
        > 3 bedrooms in Bend to buy, can't go over 450k and parking is a must
        refine need
        I found no home for sale in Bend with at least 3 bedrooms and parking at up to $450,000.
        If you look in Salem instead of Bend, these 3 fit, the closest of 7 near matches. Shall I
        go on with that? Otherwise I have 2 with 2 bedrooms.
        show L-0023 L-0024 L-0025 of 7
        relaxed to find 7
        {constraint:city,from:Bend,to:[Salem]}
        = {listing_type:buy,city:Bend,price_max:450000,beds_min:3,parking:true,hard:[parking,price_max]}
        "#,
    );
}

#[test]
fn shows_more_of_a_relaxed_search_and_the_rest_after_a_yes() {
    check(
        r#"
        > houses to buy in Bend with 3 bedrooms, no more than 450k
        property_search need
        I found no home for sale in Bend with at least 3 bedrooms at up to $450,000. If you look
        in Salem instead of Bend, these 3 fit, the closest of 7 near matches. Shall I go on with
        that? Otherwise I have 2 with 2 bedrooms.
        show L-0023 L-0024 L-0025 of 7
        relaxed to find 7
        {constraint:city,from:Bend,to:[Salem]}
        > show me more
        more need
        I found no home for sale in Bend with at least 3 bedrooms at up to $450,000. If you look
        in Eugene, Portland or Salem instead of Bend, these 3 fit, the closest of 7 near matches.
        Shall I go on with that? Otherwise I have 2 with 2 bedrooms.
        show L-0039 L-0026 L-0005 of 7
        relaxed to find 7
        {constraint:city,from:Bend,to:[Eugene,Portland,Salem]}
        > ok, sure, go ahead
        accept_relaxation done
        Good, from now on I look for homes for sale in or near Bend with at least 3 bedrooms at up
        to $450,000. Here is 1 more. That is all of them.
        show L-0040 of 7
        > show me more
        more done
        You have seen every home for sale in or near Bend with at least 3 bedrooms at up to
        $450,000 that I have. Tell me what to change, and I will look again.
        = {listing_type:buy,city:Bend,nearby:true,price_max:450000,beds_min:3,hard:[price_max]}
        "#,
    );
}

/// What one may look for in the catalogue by the sea.
fn in_quarry_bay(kind: ListingType) -> Slots {
    Slots { listing_type: Some(kind), city: Some("Quarry Bay".to_owned()), ..Slots::default() }
}

#[test]
fn says_less_room() {
    check_from(
        Slots { sqft_min: Some(2_200), ..in_quarry_bay(ListingType::Buy) },
        r#"
        > show me more
        more need
        I found no home for sale in Quarry Bay with at least 2,200 square feet. If you take 2,050
        square feet instead of 2,200, this home fits. Shall I go on with that?
        show H-011 of 1
        relaxed to find 1
        {constraint:sqft_min,from:2200,to:2050}
        = {listing_type:buy,city:Quarry Bay,sqft_min:2200}
        "#,
    );
}

#[test]
fn says_another_number_of_bedrooms() {
    check_from(
        Slots { beds_exact: Some(5), ..in_quarry_bay(ListingType::Buy) },
        r#"
        > show me more
        more need
        I found no home for sale in Quarry Bay with exactly 5 bedrooms. If you take 4 bedrooms
        instead of 5, this home fits. Shall I go on with that?
        show H-011 of 1
        relaxed to find 1
        {constraint:beds_exact,from:5,to:[4]}
        = {listing_type:buy,city:Quarry Bay,beds_exact:5}
        "#,
    );
}

#[test]
fn says_what_pets_would_mean() {
    check_from(
        Slots {
            pets: Some(PetWish::Dogs),
            price_max: Some(1_650),
            firm: vec!["price_max".to_owned()],
            ..in_quarry_bay(ListingType::Rent)
        },
        r#"
        > show me more
        more need
        I found no home for rent in Quarry Bay with dogs allowed at up to $1,650/month. If you go
        up to $1,740/month instead of $1,650/month, this home fits. Shall I go on with that?
        Otherwise I have 2 in Ashport and Lindale or 3 that may not take pets.
        show H-004 of 1
        relaxed to find 1
        {constraint:price_max,from:1650,to:1740}
        = {listing_type:rent,city:Quarry Bay,price_max:1650,pets:dogs,firm:[price_max]}
        "#,
    );
}

#[test]
fn says_that_laundry_is_not_there_or_not_stated() {
    check_from(
        Slots {
            laundry: Some(true),
            furnished: Some(true),
            beds_min: Some(3),
            hard: vec!["beds_min".to_owned(), "city".to_owned()],
            ..in_quarry_bay(ListingType::Rent)
        },
        r#"
        > show me more
        more need
        I found no home for rent in Quarry Bay with at least 3 bedrooms, laundry and furniture. If
        you do without furniture, this home fits. Shall I go on with that?
        show H-006 of 1
        relaxed to find 1
        {constraint:furnished}
        = {listing_type:rent,city:Quarry Bay,beds_min:3,laundry:true,furnished:true,hard:[beds_min,city]}
        "#,
    );
}

#[test]
fn looks_only_for_the_type_asked_for() {
    check_from(
        Slots {
            property_type: Some("condo".to_owned()),
            beds_min: Some(3),
            ..in_quarry_bay(ListingType::Buy)
        },
        r#"
        > show me more
        more need
        I found no condo for sale in Quarry Bay with at least 3 bedrooms. If you take 2 bedrooms
        instead of 3, this condo fits. Shall I go on with that?
        show H-007 of 1
        relaxed to find 1
        {constraint:beds_min,from:3,to:2}
        = {listing_type:buy,city:Quarry Bay,beds_min:3,property_type:condo}
        "#,
    );
}
