/* Which networks are scanners': those of the program, and what an operator says of them. */
#include "run/api/machine_network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/test.h"

static struct machine_networks networks; /* 20 KB: not on the stack */

static bool has(const char *address)
{
    return machine_network(&networks, str_of(address));
}

static void says(enum err err, const char *text, const char *where, const char *what)
{
    struct problem problem = { .where = "" };
    assert_int_equal(machine_networks_parse(&networks, "scanners.txt", str_of(text), &problem),
                     err);
    assert_string_equal(problem.where, where);
    assert_non_null(strstr(problem.what, what));
}

TEST(machine_network, gateways_are_known_by_either_protocol_and_their_neighbours_are_people)
{
    static const char *const scanners[] = { "40.92.0.0",          "40.93.255.255",
                                            "104.47.127.1",       "::ffff:67.231.159.1",
                                            "2a01:111:f403:c1::", "209.222.87.9" };
    static const char *const people[] = {
        "40.91.255.255",    "40.94.0.1", "104.47.128.1", "203.0.113.9", "2001:db8::1",
        "2a01:111:f402::1", "",          "somewhere"
    };
    assert_ok(machine_networks_shipped(&networks, NULL));
    for (size_t i = 0; i < sizeof scanners / sizeof scanners[0]; i++)
        assert_true(has(scanners[i]));
    for (size_t i = 0; i < sizeof people / sizeof people[0]; i++)
        assert_false(has(people[i]));
    assert_false(machine_network(NULL, STR("40.92.0.0")));
}

TEST(machine_network, a_file_adds_networks_and_takes_back_those_that_stand_above)
{
    assert_ok(machine_networks_shipped(&networks, NULL));
    says(OK,
         "# ours\r\nfrom our gateway\r\n\n 203.0.113.0/24 # all of it\n2001:db8::/32\n192.0.2.7\n"
         "not 104.47.0.0/17\n",
         "", "");
    assert_true(has("203.0.113.200") && has("2001:db8::9") && has("192.0.2.7"));
    assert_false(has("104.47.0.1") || has("192.0.2.8"));
    assert_true(has("40.92.0.0"));
}

TEST(machine_network, only_these_takes_back_all)
{
    assert_ok(machine_networks_shipped(&networks, NULL));
    says(OK, "only these\nfrom us\n203.0.113.0/24", "", "");
    assert_true(has("203.0.113.200"));
    assert_false(has("40.92.0.0"));
    assert_int_equal(networks.count, 1);
}

TEST(machine_network, a_line_that_cannot_be_meant_is_named_and_changes_nothing)
{
    assert_ok(machine_networks_shipped(&networks, NULL));
    uint32_t count = networks.count;
    says(ERR_INPUT, "from us\n203.0.113.0/24\n203.0.113.0/33\n", "scanners.txt:3", "no network");
    says(ERR_INPUT, "from us\nmail.example\n", "scanners.txt:2", "no network");
    says(ERR_INPUT, "203.0.113.0/24\n", "scanners.txt:1", "known from");
    says(ERR_INPUT, "from us\n0.0.0.0/0\n", "scanners.txt:2", "people");
    says(ERR_INPUT, "from us\n::/0\n", "scanners.txt:2", "people");
    says(ERR_INPUT, "not 203.0.113.0/24\n", "scanners.txt:1", "no network above");
    says(ERR_INPUT, "not 40.92.0.0/16\n", "scanners.txt:1", "no network above");
    assert_int_equal(networks.count, count);
    assert_false(has("203.0.113.1"));
}

/* Of IPv6, and IPv4 lies in it, as ::ffff:0:0/96. */
TEST(machine_network, a_network_that_everybody_with_ipv4_is_in_is_too_wide)
{
    static const char *const wide[] = { "::/20",         "::/64",
                                        "::/80",         "::1/64",
                                        "::/0",          "::fffe:0:0/95",
                                        "::fffe:0:0/81", "::ffff:9.9.9.9/7",
                                        "0.0.0.0/0",     "9.0.0.0/7" };
    static const char *const narrow[] = { "::/96", "::1/128", "::fffe:0:0/96", "9.0.0.0/8",
                                          "::ffff:9.0.0.0/8" };
    char                     text[80];
    for (size_t i = 0; i < sizeof wide / sizeof wide[0]; i++) {
        assert_ok(machine_networks_shipped(&networks, NULL));
        snprintf(text, sizeof text, "from us\n%s\n", wide[i]);
        says(ERR_INPUT, text, "scanners.txt:2", "people");
    }
    for (size_t i = 0; i < sizeof narrow / sizeof narrow[0]; i++) {
        assert_ok(machine_networks_shipped(&networks, NULL));
        snprintf(text, sizeof text, "from us\n%s\n", narrow[i]);
        says(OK, text, "", "");
        assert_false(has("203.0.113.1"));
    }
}

TEST(machine_network, no_more_are_taken_than_there_is_room_for)
{
    SCOPED(buf_donep) struct buf text = buf_make(MACHINE_NETWORKS_FILE_BYTES_MAX);
    buf_str(&text, STR("only these\nfrom us\n"));
    for (int i = 0; i < MACHINE_NETWORKS_MAX + 1; i++)
        buf_format(&text, "10.%d.%d.0/24\n", i / 256, i % 256);
    assert_ok(buf_err(&text));
    buf_char(&text, '\0');
    says(ERR_INPUT, buf_view(&text).ptr, "scanners.txt:1027", "more than 1024");
}

TEST(machine_network, a_folder_without_the_file_has_those_of_the_program)
{
    char                     dir[] = "/tmp/dult-networks-XXXXXX", path[64];
    struct machine_networks *read;
    struct problem           problem = { .where = "" };
    assert_non_null(mkdtemp(dir));
    assert_ok(machine_networks_shipped(&networks, NULL));
    assert_ok(machine_networks_read(&read, dir, &problem));
    assert_int_equal(read->count, networks.count);
    free(read);
    snprintf(path, sizeof path, "%s/scanners.txt", dir);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("only these\n", file);
    fclose(file);
    assert_ok(machine_networks_read(&read, dir, &problem));
    assert_int_equal(read->count, 0);
    free(read);
    unlink(path);
    rmdir(dir);
}
