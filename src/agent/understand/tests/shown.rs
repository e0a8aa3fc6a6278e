//! What is said of homes that are on the table: questions, refinements, decisions, visits.

use super::{Standing, check};

#[test]
fn questions_are_told_from_wishes() {
    check(
        Standing::Shown,
        r"
        Does it have a garage?                                 ask parking
        does it come with a garage                             ask parking
        Is there a garage?                                     ask parking
        What about a garage?                                   ask parking
        Is there parking available?                            ask parking
        Does it have in-unit laundry?                          ask laundry
        Is there laundry in the unit?                          ask laundry
        Are there a washer and dryer?                          ask laundry
        Washer and dryer in the unit?                          ask laundry
        Is there a washer and a dryer in the unit, or is it shared?  ask laundry
        Does this one have a garage and laundry?               ask parking+laundry
        How many bathrooms does it have?                       ask baths
        What's the address?                                    ask address
        Where is it located?                                   ask address
        Can I have the phone number?                           ask phone
        What is their phone number and address?                ask address+phone
        How much is it?                                        ask price
        What's the price?                                      ask price
        How much does the property cost?                       ask price
        What is the rent?                                      ask price
        Can you tell me if there is a garage?                  ask parking
        Do you know if it has a laundry?                       ask laundry
        Could you check whether it has a garage?               ask parking
        I'd like to know the address.                          ask address
        And a garage?                                          ask parking
        Would I be able to park my car there?                  ask parking
        Can I wash my clothes in the apartment?                ask laundry
        Does it have its own washing machine?                  ask laundry
        Phone number?                                          ask phone
        Give me the address please                             ask address
        Is it furnished and are pets allowed?                  ask pets+furnished
        any restrictions?                                      ask pets+furnished
        can I bring my iguana?                                 ask pets
        Do they take dogs?                                     ask pets
        How big is it?                                         ask size
        When was it built?                                     ask year
        When is it available?                                  ask available
        Is there a deposit?                                    ask deposit
        How much would the deposit be?                         ask deposit
        What kind of property is it?                           ask propertytype
        Tell me more about it.                                 ask overview
        ",
    );
}

#[test]
fn questions_come_together_and_with_more() {
    check(
        Standing::Shown,
        r"
        Does it have a garage? What is the phone number?       ask parking, ask phone
        ",
    );
    check(
        Standing::Shown,
        r"
        Do you have anything with a garage?                    parking
        Can you find me one with in-unit laundry?              laundry
        Is there anything else with a garage?                  parking
        Are there any other places that have a garage?         parking
        I need something with a washer and dryer               laundry
        Show me homes with laundry in the unit                 laundry
        I would prefer one with a garage.                      parking
        Any other properties with 2 bathrooms?                 2ba
        How about something in Eugene?                         Eugene
        I'd like to see houses with three bedrooms instead     3bd
        Can you find another property that has laundry?        laundry
        Find something that has a garage in Bend               parking, Bend
        I forgot to say that I need a garage                   parking
        It should have a garage                                parking
        Make sure it has a garage.                             parking
        Actually, I'd rather buy                               buy
        What else do you have with a garage?                   parking
        Can you look for places in Salem with two bathrooms?   Salem, 2ba
        Do any of them have laundry?                           laundry
        a garage is not needed                                 free parking
        laundry doesn't matter                                 free laundry
        I don't need a garage after all                        free parking
        no pets needed                                         free pets
        actually 3 bedrooms                                    3bd
        I meant Bend                                           Bend
        not in Eugene                                          
        ",
    );
}

#[test]
fn more_and_other_is_told_from_enough() {
    check(
        Standing::Shown,
        r"
        Is there anything else?                                more
        What else do you have?                                 more
        Show me another one                                    more
        Any other options?                                     more
        Do you have other properties?                          more
        Find me another property                               more
        Can you find other places?                             more
        Try again                                              more
        show me more                                           more
        next                                                   more
        keep looking please                                    more
        I don't need anything else.                            done
        That's all I need.                                     done, like
        something cheaper                                      cheaper
        It's a bit expensive                                   cheaper
        That's over my budget                                  cheaper
        options with less rent                                 cheaper
        something bigger                                       bigger
        That's too small                                       no, bigger
        ",
    );
}

#[test]
fn decisions_and_visits() {
    check(
        Standing::Shown,
        r"
        That sounds good.                                      like
        I like it                                              like
        I'll take it                                           like
        This one is perfect                                    like
        That works for me                                      like
        That sounds like a great place                         like
        I think I found my new home                            like
        I don't like it                                        dislike
        That won't work                                        dislike
        Not too sure about this one                            dislike
        I'd like to schedule a visit                           visit
        Can I visit it on Saturday?                            visit, on 03-02
        Can I see it tomorrow?                                 visit, on 03-02
        book a viewing for the 8th                             visit, on 03-08
        I want to take a look at it next Monday                visit, on 03-04
        Let's set up a tour for Thursday next week             visit, on 03-07
        Could I go see the property later today?               visit, on 03-01
        I want a cab to go there                               foreign
        Am I free on the 4th?                                  foreign
        rent the Cruze                                         foreign
        ",
    );
}

#[test]
fn a_visit_is_arranged() {
    check(
        Standing::WhichDay,
        r"
        on the 8th                                             on 03-08
        Next Friday works                                      on 03-08, like
        The 10th of March is a good day                        on 03-10
        I'm free on Monday                                     on 03-04
        How about the day after tomorrow?                      on 03-03
        Is Friday next week available?                         on 03-08
        The 3rd                                                on 03-03
        ",
    );
    check(
        Standing::Confirm,
        r"
        Yes, that's correct                                    yes
        No, the 14th                                           no, on 03-14
        Actually, make it next Friday                          on 03-08
        Yes. Does it have a garage?                            yes, ask parking
        Yes, correct. What is their phone number?              yes, ask phone
        Perfect, is there laundry in the unit?                 like, ask laundry
        Can we do the 12th instead?                            on 03-12
        cancel the visit                                       cancel
        ",
    );
    check(
        Standing::Offered,
        r"
        Yes please                                             yes
        No, not right now                                      no
        Maybe later                                            no
        No thanks, that's all                                  no, done
        Yes, on the 5th                                        yes, on 03-05
        Sure, schedule it for March 9th                        yes, visit, on 03-09
        ",
    );
    check(
        Standing::WhichHome,
        r"
        Aria Court                                             named Aria Court
        I want to visit Aria Court please                      visit, named Aria Court
        The Oak Grove Apartments                               named Oak Grove Apartments
        Oak Grove Apartments on the 8th                        on 03-08, named Oak Grove Apartments
        ",
    );
}

#[test]
fn homes_are_pointed_at() {
    check(
        Standing::Several,
        r"
        Does the second one have parking?                      ask parking #2
        What about the last one?                               ask overview last
        How big is the cheapest one?                           ask size cheapest
        Which one is cheaper?                                  ask price cheapest
        Which is the largest?                                  ask size largest
        Does the bigger of the two allow dogs?                 ask pets largest
        I like the third one                                   like, point #3
        Can I visit the first one on the 8th?                  visit, on 03-08, point #1
        Is that one near the river furnished?                  ask furnished L-0002
        Does the Sellwood bungalow allow dogs?                 ask pets L-0002
        And the one by the park?                               ask overview L-0003
        Compare the first and the second                       compare #1 #2
        What's the difference between the first two?           compare #1 #2
        the bigger of the two, please                          yes, point largest
        Do they have garages?                                  ask parking
        Do all of them allow pets?                             ask pets all
        Does the 2nd have laundry?                             ask laundry #2
        ",
    );
}

#[test]
fn what_listings_have_no_field_for_is_named() {
    check(
        Standing::Several,
        r"
        Is the third one near a school?                        ask of schools #3
        is there a pool?                                       ask of a pool
        how much is the monthly mortgage?                      ask of a mortgage
        anything with a view of the lake?                      beyond the view
        I want something newer, built after 2000               beyond the year
        3 bedrooms with a balcony in Salem                     beyond a balcony, 3bd, Salem
        When was the first one built?                          ask year #1
        ",
    );
}

#[test]
fn who_wants_time_decides_nothing() {
    check(
        Standing::Shown,
        r"
        ok let me think about it                               no, wait
        I'll sleep on it                                       no, wait
        ",
    );
}

#[test]
fn the_cheapest_of_all_is_not_the_cheapest_shown() {
    check(
        Standing::Several,
        r"
        what's the cheapest house you have in Salem?           free price_max, free price_min, Salem
        which one is the cheapest?                             ask price cheapest
        salem or eugene?                                       Salem, Eugene
        ",
    );
}
