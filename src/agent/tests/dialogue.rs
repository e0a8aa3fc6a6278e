//! Conversations that ask back, refine, change their mind or speak of something else.

use super::{check, turn, willamette};
use crate::contract::agent::{AgentState, Intent, Pending, Status};

#[test]
fn asks_for_the_city_and_takes_the_answer() {
    check(
        r#"
        > I need a flat
        property_search need
        In which city shall I look? I have homes in Bend, Eugene, Portland and Salem.
        > Portland
        property_search done
        I found 20 homes in Portland. Here are the 3 with the lowest prices; ask for more to see
        the rest.
        show L-0012 L-0013 L-0014 of 20
        > for rent
        refine done
        I found 9 homes for rent in Portland. Here are the 3 with the lowest prices; ask for more
        to see the rest.
        show L-0012 L-0013 L-0014 of 9
        > max 2k a month
        refine done
        I found 4 homes for rent in Portland at up to $2,000/month. Here are the 3 with the lowest
        prices; ask for more to see the rest.
        show L-0012 L-0013 L-0014 of 4
        > show me more
        more done
        Here is 1 more. That is all of them.
        show L-0015 of 4
        > more please
        more done
        You have seen every home for rent in Portland at up to $2,000/month that I have. Tell me
        what to change, and I will look again.
        = {listing_type:rent,city:Portland,price_max:2000,firm:[price_max]}
        "#,
    );
}

#[test]
fn asks_again_for_a_city_it_does_not_have() {
    check(
        r#"
        > flats in Seattle under 2000 a month
        property_search need
        I have no homes in Seattle. I have homes in Bend, Eugene, Portland and Salem. Which shall
        it be?
        > Eugene
        property_search done
        I found 4 homes for rent in Eugene at up to $2,000/month. Here are the 3 with the lowest
        prices; ask for more to see the rest.
        show L-0044 L-0045 L-0046 of 4
        = {listing_type:rent,city:Eugene,price_max:2000,firm:[price_max]}
        "#,
    );
}

#[test]
fn refines_a_search_at_hand() {
    check(
        r#"
        > 3-bedroom house to rent in Salem, max 2.5k a month
        property_search done
        I found 3 homes for rent in Salem with at least 3 bedrooms at up to $2,500/month.
        show L-0032 L-0033 L-0034 of 3
        > at least two and a half baths
        refine done
        I found 1 home for rent in Salem with at least 3 bedrooms and at least 2.5 baths at up to
        $2,500/month.
        show L-0034 of 1
        > in Eugene
        refine need
        I found no home for rent in Eugene with at least 3 bedrooms and at least 2.5 baths at up
        to $2,500/month. If you take 2 baths instead of 2.5, this home fits. Shall I go on with
        that? Otherwise I have 1 in Salem.
        show L-0048 of 1
        relaxed to find 1
        {constraint:baths_min,from:2.5,to:2.0}
        > under $2,200 instead
        refine need
        I found no home for rent in Eugene with at least 3 bedrooms and at least 2.5 baths at up
        to $2,200/month. If you take 2 baths instead of 2.5 and go up to $2,290/month instead of
        $2,200/month, this home fits. Shall I go on with that? Otherwise I have 1 with 2 baths in
        Salem.
        show L-0048 of 1
        relaxed to find 1
        {constraint:baths_min,from:2.5,to:2.0}
        {constraint:price_max,from:2200,to:2290}
        > a garage is not needed
        refine need
        I found no home for rent in Eugene with at least 3 bedrooms and at least 2.5 baths at up
        to $2,200/month. If you take 2 baths instead of 2.5 and go up to $2,290/month instead of
        $2,200/month, this home fits. Shall I go on with that? Otherwise I have 1 with 2 baths in
        Salem.
        show L-0048 of 1
        relaxed to find 1
        {constraint:baths_min,from:2.5,to:2.0}
        {constraint:price_max,from:2200,to:2290}
        > actually 2 bedrooms
        refine need
        I found no home for rent in Eugene with at least 2 bedrooms and at least 2.5 baths at up
        to $2,200/month. If you take 2 baths instead of 2.5 and go up to $2,290/month instead of
        $2,200/month, this home fits. Shall I go on with that? Otherwise I have 3 with 1.5 baths
        in Bend and Salem.
        show L-0048 of 1
        relaxed to find 1
        {constraint:baths_min,from:2.5,to:2.0}
        {constraint:price_max,from:2200,to:2290}
        = {listing_type:rent,city:Eugene,price_max:2200,beds_min:2,baths_min:2.5,firm:[price_max]}
        "#,
    );
}

#[test]
fn shows_cheaper_and_bigger_homes() {
    check(
        r#"
        > homes for sale in Eugene with parking
        property_search done
        I found 7 homes for sale in Eugene with parking. Here are the 3 with the lowest prices;
        ask for more to see the rest.
        show L-0037 L-0038 L-0039 of 7
        > something bigger
        bigger done
        I found 2 homes for sale in Eugene with at least 4 bedrooms and parking.
        show L-0042 L-0043 of 2
        > cheaper please
        cheaper need
        I found no home for sale in Eugene with at least 4 bedrooms and parking at up to $598,999.
        If you look in Salem instead of Eugene, these 2 homes fit. Shall I go on with that?
        show L-0027 L-0028 of 2
        relaxed to find 2
        {constraint:city,from:Eugene,to:[Salem]}
        = {listing_type:buy,city:Eugene,price_max:598999,beds_min:4,parking:true,hard:[beds_min,price_max]}
        "#,
    );
}

#[test]
fn flags_what_is_not_stated_after_all_that_fits() {
    check(
        r#"
        > 2 bed rentals in Portland with parking under 2500
        property_search done
        I found 2 homes for rent in Portland with at least 2 bedrooms and parking at up to
        $2,500/month.
        show L-0015 L-0017 of 2
        > show me more
        more done
        That is all that surely matches. This one fits, but does not state everything you asked
        for.
        show L-0016 (parking not stated) of 1
        > show me more
        more done
        You have seen every home for rent in Portland with at least 2 bedrooms and parking at up
        to $2,500/month that I have. Tell me what to change, and I will look again.
        = {listing_type:rent,city:Portland,price_max:2500,beds_min:2,parking:true,firm:[price_max]}
        "#,
    );
}

#[test]
fn says_what_cannot_be_met_together_and_asks_for_one_thing() {
    check(
        r#"
        > 3 bedrooms for sale in Bend under 200k, only in Bend, at least 3 bedrooms is a must
        property_search need
        I found no home for sale in Bend with at least 3 bedrooms at up to $200,000, and nothing
        close to it. No listing is for sale and priced at up to $200,000 at once. How high could
        you go?
        > 500k
        refine done
        I found 2 homes for sale in Bend with at least 3 bedrooms at up to $500,000.
        show L-0051 L-0052 of 2
        = {listing_type:buy,city:Bend,price_max:500000,beds_min:3,hard:[beds_min,city],firm:[price_max]}
        "#,
    );
}

#[test]
fn reads_ranges_and_amounts() {
    check(
        r#"
        > homes for sale in Bend between 400 and 480k
        property_search done
        I found 3 homes for sale in Bend from $400,000 to $480,000.
        show L-0050 L-0051 L-0052 of 3
        > Portland, from half a million to 1.3M
        refine done
        I found 4 homes for sale in Portland from $500,000 to $1,300,000. Here are the 3 with the
        lowest prices; ask for more to see the rest.
        show L-0007 L-0008 L-0009 of 4
        > around $450,000
        refine done
        I found 4 homes for sale in Portland from $382,500 to $517,500. Here are the 3 with the
        lowest prices; ask for more to see the rest.
        show L-0003 L-0004 L-0005 of 4
        = {listing_type:buy,city:Portland,price_max:517500,price_min:382500,firm:[price_max,price_min]}
        "#,
    );
}

#[test]
fn starts_a_new_search_when_all_is_said_anew() {
    check(
        r#"
        > 2 bed flats in Portland under $400k to buy
        property_search done
        I found 3 homes for sale in Portland with at least 2 bedrooms at up to $400,000.
        show L-0001 L-0002 L-0003 of 3
        > houses in Salem with 4 bedrooms under 600k
        property_search done
        I found 2 homes for sale in Salem with at least 4 bedrooms at up to $600,000.
        show L-0027 L-0028 of 2
        = {listing_type:buy,city:Salem,price_max:600000,beds_min:4,firm:[price_max]}
        "#,
    );
}

#[test]
fn leaves_to_others_what_is_not_about_homes() {
    check(
        r#"
        > hello
        no_match decline
        > I want to rent a car in Portland
        no_match decline
        > What's the weather in Bend?
        no_match decline
        > Do you have any pets?
        no_match decline
        > yes
        no_match decline
        > thanks, bye
        no_match decline
        = {}
        "#,
    );
}

#[test]
fn tells_that_nothing_was_shown() {
    check(
        r#"
        > Does the first one have parking?
        listing_question done
        I have not shown you a home yet. Tell me what you are looking for, and I will.
        = {}
        "#,
    );
}

#[test]
fn continues_when_the_city_is_left_open() {
    check(
        r#"
        > I want to buy a home
        property_search need
        In which city shall I look? I have homes in Bend, Eugene, Portland and Salem.
        > anywhere
        property_search done
        I found 34 homes for sale. Here are the 3 with the lowest prices; ask for more to see the
        rest.
        show L-0021 L-0036 L-0011 of 34
        > show me more
        more done
        Here are 3 more; 28 are still to come.
        show L-0022 L-0037 L-0001 of 34
        = {listing_type:buy}
        "#,
    );
}

#[test]
fn takes_bounds_from_the_nearest_phrase() {
    check(
        r#"
        > homes for sale with 3 bedrooms max 350k
        property_search done
        I found 1 home for sale with at least 3 bedrooms at up to $350,000.
        show L-0023 of 1
        > rentals with at least 2 baths up to 2.2k a month in Salem or so
        property_search done
        I found 1 home for rent in Salem with at least 2 baths at up to $2,200/month.
        show L-0032 of 1
        = {listing_type:rent,city:Salem,price_max:2200,baths_min:2.0,firm:[price_max]}
        "#,
    );
}

#[test]
fn what_follows_anything_else_is_the_answer_to_it() {
    let catalog = willamette();
    let search = "2 bed homes to buy in Portland under 400k";
    let mut asked = turn(&catalog, search, AgentState::default()).state;
    asked.pending = Some(Pending::AnythingElse {});
    for text in [
        "No",
        "no thanks",
        "Nope, that's all.",
        "No, thank you, that will be all for today.",
        "nothing else, thanks!",
        "I'm done, bye",
        "Thanks again",
    ] {
        let response = turn(&catalog, text, asked.clone());
        let told = (response.status, response.intent, response.state.pending);
        assert_eq!(told, (Status::Done, Intent::NothingElse, None), "{text}");
        assert_eq!(response.state.slots, asked.slots, "{text}");
    }
    for (text, intent) in [
        ("Does the second one have parking?", Intent::ListingQuestion),
        ("No, show me something cheaper", Intent::Cheaper),
        ("Yes, more of them", Intent::More),
        ("in Salem", Intent::Refine),
    ] {
        let response = turn(&catalog, text, asked.clone());
        assert_eq!(response.intent, intent, "{text}");
        assert_ne!(response.state.pending, asked.pending, "{text}");
    }
    let response = turn(&catalog, "What is the weather like?", asked);
    assert_eq!(response.status, Status::Decline);
}
