#include "message/inline.h"

#include <string.h>

#include "base/test.h"

static void check(const char *from, const char *expected)
{
    SCOPED(buf_donep) struct buf out = buf_make(1 << 20);
    struct problem               problem;
    assert_ok(inline_styles(str_of(from), &out, &problem));
    assert_str(buf_view(&out), expected);
}

TEST(inline, a_rule_is_written_into_each_element_it_means)
{
    check("<style>p{color:red}</style><p>a</p><div>b</div><P id=x>c",
          "<style></style><p style=\"color:red;\">a</p><div>b</div><P style=\"color:red;\" id=x>c");
    check("<style>h1, .big ,#x{margin:0;}</style><h1>a</h1><i class='a big'>b</i><b id=x />c",
          "<style></style><h1 style=\"margin:0;\">a</h1><i style=\"margin:0;\" class='a big'>b</i>"
          "<b style=\"margin:0;\" id=x />c");
    check("<p>no style", "<p>no style");
}

TEST(inline, selectors_join_elements_as_css_says)
{
    check("<style>div p{a:1}div>p{b:2}ul li a{c:3}div > i > b{d:4}</style>"
          "<div><p>a<i><b>c</b></i></p><i><b>d</b></i></div><ul><li><p><a>e</a></ul>",
          "<style></style><div><p style=\"a:1;b:2;\">a<i><b>c</b></i></p><i><b style=\"d:4;\">d</b>"
          "</i></div><ul><li><p><a style=\"c:3;\">e</a></ul>");
    check("<style>[a]{a:1}[a=x]{b:2}[a~=y]{c:3}[a^='x']{d:4}[a$=\"y\"]{e:5}[a*=q]{f:6}"
          "[a|=x]{g:7}</style><p a='x y'><p a=x><p a=x-y>",
          "<style></style><p style=\"a:1;c:3;d:4;e:5;\" a='x y'>"
          "<p style=\"a:1;b:2;d:4;g:7;\" a=x><p style=\"a:1;d:4;e:5;g:7;\" a=x-y>");
    check("<style>a b c{x:1}</style><a><b><i><b></b></i><c>",
          "<style></style><a><b><i><b></b></i><c style=\"x:1;\">");
}

TEST(inline, the_more_specific_and_then_the_later_rule_wins)
{
    check("<style>#i{c:1}p.k{c:2}p{c:3;d:1}p{d:2}</style><p id=i class=k>a<p class=k>b<p>c",
          "<style></style><p style=\"d:2;c:1;\" id=i class=k>a<p style=\"d:2;c:2;\" class=k>b"
          "<p style=\"c:3;d:2;\">c");
    check("<style>p{c:1!important;d:1}.k{c:2;d:2 ! Important}</style>"
          "<p class=k style='c:3;e:3'>a<p style=\"d:4;\">b",
          "<style></style><p class=k style='c:3;e:3;c:1;d:2;'>a<p style=\"d:4;c:1;\">b");
    check("<style>p{color:#fff;color:rgba(0,0,0,.5)}</style><p>",
          "<style></style><p style=\"color:#fff;color:rgba(0,0,0,.5);\">");
}

TEST(inline, what_cannot_be_said_of_one_element_stays)
{
    check("<style>@media (max-width:9px){p{a:1}}\n@font-face{font-family:x}\n@import url(a;b);\n"
          "a:hover{b:1}p::before{c:1}p+p{d:1}*{e:1}p{f:1}\n/* } */ p:not(.x){g:1}</style><p>",
          "<style>@media (max-width:9px){p{a:1}}\n@font-face{font-family:x}\n@import url(a;b);\n"
          "a:hover{b:1}p::before{c:1}p+p{d:1}*{e:1}\n/* } */ p:not(.x){g:1}</style>"
          "<p style=\"f:1;\">");
    check("<style media=print>p{a:1}</style><style data-dult-inline=no>p{b:1}</style><p>",
          "<style media=print>p{a:1}</style><style data-dult-inline=no>p{b:1}</style><p>");
    check("<!--[if mso]><style>p{a:1}</style><![endif]--><style><!--p{b:1}--></style><p>",
          "<!--[if mso]><style>p{a:1}</style><![endif]--><style><!----></style>"
          "<p style=\"b:1;\">");
}

TEST(inline, lines_keep_their_numbers_and_quotes_do_not_break_out)
{
    check("<style>\np {\n  font-family: \"Open Sans\",\n    Arial;\n}\n</style>\n<p\nclass=a>x",
          "<style>\n\n\n\n\n</style>\n<p style=\"font-family:'Open Sans',     Arial;\"\nclass=a>x");
    check("<style>p{background:url(\"a?b&c\")}</style><p style='x:y'>",
          "<style></style><p style='background:url(\"a?b&amp;c\");x:y'>");
    check("<style>p{content:\"it's\"}i{a:1}</style><p><i>",
          "<style>p{content:\"it's\"}</style><p><i style=\"a:1;\">");
}

TEST(inline, liquid_goes_through_and_what_it_decides_is_left_open)
{
    check("<style>p{color:{{ c | default: \"red\" }};a:{{b}}}</style>{% if a < b %}<p>{% endif %}",
          "<style></style>{% if a < b %}<p style=\"color:{{ c | default: 'red' }};a:{{b}};\">"
          "{% endif %}");
    check("<style>{% if x %}p{a:1}{% endif %}</style><p>",
          "<style>{% if x %}p{a:1}{% endif %}</style><p>");
    check("<style>p{a:1}</style><p class=\"{{ x }}\">a", "<style>p{a:1}</style>"
                                                         "<p style=\"a:1;\" class=\"{{ x }}\">a");
    check("<style>p{a:1}</style>{%- render 'x' %}<p>", "<style>p{a:1}</style>{%- render 'x' %}"
                                                       "<p style=\"a:1;\">");
    check("<style>p{a:1}</style><p style=\"{% if x %}a:2{% endif %}\">",
          "<style></style><p style=\"a:1;{% if x %}a:2{% endif %}\">");
}

TEST(inline, broken_styles_break_nothing)
{
    static const char *const broken[] = {
        "<style>p{",
        "<style>p{a:1",
        "<style>}p{a:1}</style><p>",
        "<style>p{a}</style><p>",
        "<style>{a:1}</style><p>",
        "<style>,{a:1}</style><p>",
        "<style>p,{a:1}</style><p>",
        "<style>@media{p{a:1}</style><p>",
        "<style>/*</style><p>",
        "<style>p[a{a:1}</style><p>",
        "<style>p[a='{a:1}</style><p>",
        "<style>p >{a:1}</style><p>",
        "<style>{{p}}</style><p>",
        "<style>p{{a:1}</style><p>",
        "<style>@</style><p>",
        "<style>a/b{a:1}</style><p>",
        "<style>p\\:x{a:1}</style><p>",
    };
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        SCOPED(buf_donep) struct buf out = buf_make(1 << 16);
        assert_ok(inline_styles(str_of(broken[i]), &out, NULL));
        if (strchr(broken[i], '}') == NULL || strstr(broken[i], "p{a}") != NULL)
            continue;
        if (!str_eq(buf_view(&out), str_of(broken[i])) && strstr(broken[i], "}p{") == NULL)
            fail_msg("%s -> %.*s", broken[i], STR_ARG(buf_view(&out)));
    }
}

TEST(inline, a_style_beyond_its_bounds_is_refused_with_the_remedy)
{
    SCOPED(buf_donep) struct buf html = buf_make(1 << 20), out = buf_make(2 << 20);
    struct problem               problem = { .what = "" };
    buf_str(&html, STR("<style>"));
    for (int i = 0; i < 2001; i++)
        buf_format(&html, ".x%d{a:1}", i);
    buf_str(&html, STR("</style><p>"));
    assert_int_equal(inline_styles(buf_view(&html), &out, &problem), ERR_LIMIT);
    assert_true(problem.remedy[0] != '\0');
}
