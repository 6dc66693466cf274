#include "message/plain.h"

#include "base/test.h"

/* Reads the HTML and compares its text. */
static void check(const char *from, const char *expected)
{
    SCOPED(html_closep) struct html *html = NULL;
    SCOPED(buf_donep) struct buf     out = buf_make(1 << 20);
    assert_ok(html_parse(&html, str_of(from), NULL));
    plain_write(html, &out);
    assert_ok(buf_err(&out));
    assert_str(buf_view(&out), expected);
}

TEST(plain, paragraphs_and_headings_are_parted_by_one_empty_line)
{
    check("<h1>Hello</h1>\n\n<p>Two\n <b>new</b>  tents</p><p></p><div></div><p>Bye</p>",
          "Hello\n\nTwo new tents\n\nBye\n");
    check("<div>a</div><div>b</div>", "a\nb\n");
    check("a<br>b<br><br><br>c", "a\nb\n\nc\n");
    check("a<hr>b", "a\n\n---\n\nb\n");
}

TEST(plain, lists_are_bulleted_numbered_and_indented)
{
    check("<p>Buy:</p><ul><li>Ridge<li>Dome<ul><li>small</ul><li></ul>x",
          "Buy:\n\n- Ridge\n- Dome\n  - small\n\nx\n");
    check("<ol><li>one<br>more</li><li>two</li></ol>", "1. one\n   more\n2. two\n");
}

TEST(plain, a_link_shows_where_it_leads_unless_its_text_says_so)
{
    check("<a href='https://x.example/?a=1&amp;b=2'>See</a>.",
          "See (https://x.example/?a=1&b=2).\n");
    check("<a href=https://x.example/>https://x.example/</a>", "https://x.example/\n");
    check("<a href=https://x.example/><img src=a alt=Shop></a>", "Shop (https://x.example/)\n");
    check("<a href=https://x.example/><img src=a></a>", "https://x.example/\n");
    check("<a href='mailto:a@x.example?subject=Hi'>Write</a> <a href='#top'>up</a>",
          "Write (a@x.example) up\n");
}

TEST(plain, what_is_hidden_says_nothing)
{
    check("<head><title>t</title><style>p{}</style></head><body><script>x</script>"
          "<div style='color:red; DISPLAY : none !important'>pre</div><p hidden>h</p>"
          "<!--[if mso]>m<![endif]--><template>t</template><span style='visibility:hidden'>v</span>"
          "<b style='display:nonesuch'>seen</b>",
          "seen\n");
}

TEST(plain, tables_are_rows_and_cells_and_layout_is_not_drawn)
{
    check("<table><tr><th>Tent<th>Price</tr><tr><td>Ridge<td></td><td>100</table>",
          "Tent | Price\nRidge | 100\n");
    check("<table role=presentation><tr><td>a</td>\n<td>b</td></tr></table>", "a b\n");
    check("<table><tr><td><p>a</p></td><td><p>b</p></td></tr></table>", "a\n\nb\n");
}

TEST(plain, entities_and_invisible_padding_are_resolved)
{
    check("Caf&eacute;&nbsp;&nbsp;&lt;3&shy;&#8203;&#847;&nbsp;&#1; x", "Caf\xC3\xA9 <3 x\n");
    check("<blockquote>a<p>b</blockquote>c", "> a\n>\n> b\n\nc\n");
    check("<pre>  a\n   b  c\n \n</pre>d", "  a\n   b  c\n\nd\n");
    check("", "");
}
