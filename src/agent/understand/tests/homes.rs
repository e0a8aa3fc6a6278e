//! Homes to rent or buy, with garage and laundry: openings and answers to what the agent asked.

use super::{Standing, check};

#[test]
fn openings_say_what_is_looked_for() {
    check(
        Standing::Fresh,
        r"
        I want to buy a place                                        buy
        I'd like to buy a house in Salem.                            buy, Salem
        I'm looking to purchase a home in Bend                       buy, Bend
        I am interested in purchasing a condo in Portland            buy, condo, Portland
        Can you help me find a place to rent?                        rent
        I need to rent a home with 2 bedrooms in Eugene.             rent, 2bd, Eugene
        We're hoping to own a home soon, ideally in Bend             buy, Bend
        Looking for a rental in Portland with a garage               rent, Portland, parking
        Are there any houses for sale in Salem?                      buy, Salem
        Find me a home for rent in Eugene with 3 beds and 2 baths.   rent, Eugene, 3bd, 2ba
        I need a place in Bend with in-unit laundry                  Bend, laundry
        I'm looking for a house with a washer and dryer in the unit  laundry
        A 2bd/1ba in Salem please                                    2bd, 1ba, Salem
        I want a three bedroom, two bathroom house to buy in Salem   3bd, 2ba, buy, Salem
        Show me properties in Portland I can lease                   Portland, rent
        I'd like to find a property to purchase, with two baths      buy, 2ba
        We want to move to Eugene and buy something with 4 bedrooms  Eugene, buy, 4bd
        Help me search for an apartment with 1 bedroom and 1 bath    1bd, 1ba
        I need a home that has a garage                              parking
        Please find a house in Bend that has a place to park my car  Bend, parking
        Homes with a laundry room in Salem                           laundry, Salem
        I'm looking for a studio in Portland                         =0bd, Portland
        Is there a home in Salem with a garage for sale?             Salem, parking, buy
        I want to rent an apartment with at least 2 bedrooms         rent, 2bd
        Somewhere to live in Eugene with 2 bed rooms and baths       Eugene, 2bd, 2ba
        do you have houses in portland with washer/dryer             Portland, laundry
        I'm in the market for a townhouse in Eugene                  townhouse, Eugene
        Find a place to buy in Salem, must have a garage             buy, Salem, parking!
        I need a dog friendly rental in Bend                         dogs, rent, Bend
        we have two cats and need an apartment in Salem              cats, Salem
        ",
    );
}

#[test]
fn named_homes_are_visited_at_once() {
    check(
        Standing::Fresh,
        r"
        I'd like to visit Aria Court on the 12th                     visit, on 03-12, named Aria Court
        I want to schedule a visit to Aria Court.                    visit, named Aria Court
        Can you schedule a visit to the Oak Grove Apartments for March 8th?  visit, on 03-08, named Oak Grove Apartments
        I want to visit a property                                   visit
        I would like to schedule a visit to a property.              visit
        Book me a viewing of Maple Ridge for next Friday             visit, on 03-08, named Maple Ridge
        Please arrange a tour of Cedar Point Villas tomorrow         yes, visit, on 03-02, named Cedar Point Villas
        I'd like to see The Landing at Riverside on Sunday           visit, on 03-03, named Landing At Riverside
        I want to check out Harbor House on the 5th of this month    visit, on 03-05, named Harbor House
        Set up an appointment at Hilltop Commons for the 9th         visit, on 03-09, named Hilltop Commons
        Can I tour 1000 Kiely this Saturday?                         visit, on 03-02, named 1000 Kiely
        I'd like to visit the Sellwood bungalow near the river       visit, point L-0002
        ",
    );
}

#[test]
fn answers_are_read_by_what_was_asked() {
    check(
        Standing::Asked(&["listing_type"]),
        r"
        Rent                          rent
        I want to rent.               rent
        Renting                       rent
        To buy                        buy
        Buy please                    buy
        I'm looking to buy            buy
        I'd prefer to purchase it     buy
        For rent                      rent
        A rental                      rent
        I would like to rent it       rent
        I wish to buy.                buy
        for sale                      buy
        I want to own                 buy
        leasing                       rent
        ",
    );
    check(
        Standing::Asked(&["baths_min"]),
        r"
        Two                           2ba
        I need 2.                     2ba
        Just one                      1ba
        2 bathrooms                   2ba
        One bath is enough            1ba
        At least two                  2ba
        Three please                  3ba
        1 bath would be fine          1ba
        2.5                           2.5ba
        ",
    );
}

#[test]
fn answers_to_two_questions_are_told_apart() {
    check(
        Standing::Asked(&["beds_min", "baths_min"]),
        r"
        2 and 1                       2bd, 1ba
        2 of each                     2bd, 2ba
        Two for both                  2bd, 2ba
        3 bedrooms and two baths      3bd, 2ba
        3 bedrooms                    3bd
        1 bathroom and 2 bedrooms     1ba, 2bd
        two bed, two bath             2bd, 2ba
        I want four bedrooms, and 3 bathrooms  4bd, 3ba
        ",
    );
    check(
        Standing::Asked(&["city", "beds_min"]),
        r"
        Salem, and 3                  Salem, 3bd
        I want one in Bend with 2 bedrooms  Bend, 2bd
        Find me one in Salem          Salem
        Portland, 2 bedrooms please   Portland, 2bd
        In Eugene with one bedroom    Eugene, 1bd
        I need two bedrooms in Eugene  2bd!, Eugene!
        ",
    );
    check(
        Standing::Asked(&["city"]),
        r"
        Salem                         Salem
        somewhere in salem            Salem
        The Salem area                Salem
        salem would be great          Salem
        I prefer Bend                 Bend
        In Portland please            Portland
        Portlnd                       Portland
        Try Eugene                    Eugene
        Seattle                       elsewhere Seattle
        anywhere                      free city
        any city is fine              free city
        ",
    );
}

#[test]
fn states_stand_behind_cities_and_answer_which_one() {
    check(
        Standing::Fresh,
        r"
        homes in Portland, OR under 400k       Portland, in OR, <=400000~
        homes in Portland Oregon               Portland, in OR
        homes in salem, or                     Salem, in OR
        homes in Salem or Bend                 Salem, Bend
        Portland, OR                           Portland, in OR
        ",
    );
    check(
        Standing::Asked(&["state"]),
        r"
        the one in Oregon                      in OR
        OR                                     in OR
        ",
    );
}
