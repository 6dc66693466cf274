#include "run/geo.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/test.h"

/* Of the tests' packages: free to use, and no part of the product. */
#define DATABASE                                                                                   \
    DULT_SOURCE_DIR                                                                                \
    "/test/node_modules/@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb"

TEST(geo, an_address_is_in_the_country_that_it_was_given_to)
{
    struct problem problem;
    struct geo    *geo = NULL;
    if (access(DATABASE, R_OK) != 0) {
        print_message("the tests' packages are not installed: skipped\n");
        skip();
    }
    assert_ok(geo_open(&geo, DATABASE, &problem));
    assert_str(geo_country(geo, STR("129.240.118.130")), "NO"); /* the University of Oslo */
    assert_str(geo_country(geo, STR("2001:700:100::1")), "NO"); /* Norway's research network */
    assert_str(geo_country(geo, STR("10.0.0.1")), "");
    assert_str(geo_country(geo, STR("no address")), "");
    assert_str(geo_country(geo, STR("")), "");
    geo_close(geo);
}

TEST(geo, a_file_that_is_no_database_is_refused_with_its_name)
{
    struct problem problem;
    struct geo    *geo = NULL;
    assert_int_equal(geo_open(&geo, DULT_SOURCE_DIR "/LICENSE", &problem), ERR_INPUT);
    assert_int_equal(geo_open(&geo, DULT_SOURCE_DIR "/absent.mmdb", &problem), ERR_ABSENT);
    assert_str(str_of(problem.where), "geo_file");
    geo_close(NULL);
    assert_str(geo_country(NULL, STR("129.240.118.130")), "");
}
