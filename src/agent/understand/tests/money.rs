//! Money in people's own words.

use super::{Standing, check};

#[test]
fn budgets_in_digits_and_words() {
    check(
        Standing::Fresh,
        r"
        homes under 2k                               <=2000~
        a house for $1,500-2,000                     >=1500~, <=2000~
        homes for half a million                     <=500000
        a house up to 1.2M                           <=1200000~
        homes between 1500 and 2 grand               >=1500~, <=2000~
        a house, I can't go over 250k                <=250000!
        homes at no more than $400,000               <=400000!
        homes at least 300k                          >=300000
        a house around 1200                          >=1020~, <=1380~
        homes for about $450,000                     >=382500~, <=517500~
        a house, not more than 3000                  <=3000!
        homes that do not cost more than 3000        <=3000!
        a house, I don't want it over 875 dollars    <=875!
        homes for a quarter million                  <=250000
        a house for fifteen hundred                  <=1500
        a home at two and a half thousand a month    <=2500, rent
        homes for 200-300k                           >=200000~, <=300000~
        a house at 3k/mo                             <=3000, rent
        homes at 600 at most                         <=600~
        a house, less then 4152                      <=4152~
        homes from 400k to 500k                      >=400000~, <=500000~
        my budget is 1067 for a home                 <=1067
        a home, I can afford 2030 credits            <=2030
        homes over 500k                              >=500000
        a house, not under 300k                      >=300000
        a home that costs 2000 or less               <=2000~
        homes starting at 1500                       >=1500
        a house, my max is 350k                      <=350000~
        a house, max 350k                            <=350000~
        a home, we could spend $2,300 monthly        <=2300, rent
        homes for a million                          <=1000000
        a house for three hundred and fifty thousand  <=350000
        homes, no budget                             free price_max
        homes for 4 people on the 8th                on 03-08
        ",
    );
    check(
        Standing::Shown,
        r"
        raise the budget to 2000                     <=2000~
        increase it to around 3500                   >=2975~, <=4025~
        Let's try 4800 or less                       <=4800~
        how about 900                                <=900
        I can't spend any more than 3500             <=3500!
        It shouldn't be more than 2300               <=2300!
        i cant go any higher than 3000               <=3000!
        something under 500                          <=500~
        price doesn't matter                         free price_max
        call 503-555-0100                            
        ",
    );
}

#[test]
fn sizes_and_strengths() {
    check(
        Standing::Fresh,
        r"
        a house with at least 1,500 sqft             1500sqft
        a home over 2000 square feet                 2000sqft
        a house with exactly 2 bedrooms              =2bd
        a home with only one bedroom                 =1bd!
        a home with more than 2 bedrooms             3bd
        a house, over two baths                      2.25ba
        a home with no more than 2 bedrooms
        a house that must have 3 bedrooms            3bd!
        a house, 3 bedrooms is a must                3bd!
        homes only in Bend                           Bend!
        a condo with parking required                condo, parking!
        an unfurnished apartment                     unfurnished
        a furnished home                             furnished
        a three bed three bath house                 3bd, 3ba
        just one bed and bath apartment              =1bd, 1ba
        ",
    );
}
