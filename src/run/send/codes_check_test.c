/* Which templates take codes for readers who are not shown any. */
#include "run/send/email_check.h"

#include <string.h>

#include "base/test.h"

/* The pool that is warned of with its line, "" for none. */
static void warns(const char *html, const char *text, const char *pool, uint32_t line)
{
    static struct check_findings findings;
    struct email_file file = { .html = { .text = str_of(html) }, .text = { .text = str_of(text) } };
    findings.count = 0;
    codes_judge(&file, &findings);
    assert_int_equal(findings.count, pool[0] == '\0' ? 0 : 1);
    if (findings.count == 0)
        return;
    assert_non_null(strstr(findings.at[0].what, pool));
    assert_int_equal(findings.at[0].line, line);
    assert_int_equal(findings.at[0].severity, CHECK_WARNING);
}

TEST(codes_check, a_pool_within_conditions_alone_is_warned_of)
{
    warns("a\n{% if person.vip %}\n{{ codes.spring.code }}{% endif %}", "", "\"spring\"", 3);
    warns("{%- unless a -%}{{codes['spring'].code}}{% endunless %}", "", "\"spring\"", 1);
    warns("{% case a %}{% when 1 %}{{ codes.spring.code }}{% endcase %}", "", "\"spring\"", 1);
    warns("{% for a in b %}{{ codes.spring.code }}{% endfor %}", "", "\"spring\"", 1);
    warns("{% if codes.spring.expires_at %}x{% endif %}", "", "\"spring\"", 1);
    warns("{% if a %}{% if b %}x{% endif %}{% assign c = codes.spring.code %}{% endif %}", "",
          "\"spring\"", 1);
}

TEST(codes_check, a_pool_that_everybody_is_shown_is_not)
{
    warns("{{ codes.spring.code }}{% if codes.spring.expires_at %}{{ codes.spring.expires_at }}"
          "{% endif %}",
          "", "", 0);
    warns("{% if a %}x{% else %}y{% endif %}{{ codes.spring.code }}", "", "", 0);
    warns("{% render \"box\", code: codes.spring.code %}", "", "", 0);
    warns("{% if a %}{{ codes.spring.code }}{% endif %}", "{{ codes.spring.code }}", "", 0);
    warns("no codes { here } {{ person.code }} {% if a", "", "", 0);
}

TEST(codes_check, of_two_pools_the_hidden_one_is_named)
{
    warns("{{ codes.spring.code }}\n{% if vip %}{{ codes.gold.code }}{% endif %}", "", "\"gold\"",
          2);
}
