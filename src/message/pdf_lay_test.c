#include <string.h>

#include "base/test.h"
#include "message/pdf_inside.h"

/* A side, laid out; places are in points from the top left corner of the text. */
struct side {
    struct pdf_sheet sheet;
    struct pdf_box  *box;
    struct pdf_laid  laid;
};

static void side_open(struct side *side, const char *html)
{
    PangoFontMap  *fonts = pango_cairo_font_map_new();
    PangoContext  *context = pango_font_map_create_context(fonts);
    struct problem problem;
    *side = (struct side){ .sheet.layout = pango_layout_new(context),
                           .sheet.arena = arena_open(PDF_ARENA_BYTES_MAX) };
    assert_ok(pdf_body_read(&side->sheet, str_of(html), &side->box, &problem));
    assert_ok(pdf_lay(&side->sheet, side->box, &side->laid));
    g_object_unref(context);
    g_object_unref(fonts);
}

static void side_done(struct side *side)
{
    pdf_laid_done(&side->laid);
    pdf_body_done(side->box);
    g_object_unref(side->sheet.layout);
    arena_close(side->sheet.arena);
}

/* The first line that has the word. */
static const struct pdf_mark *line(const struct side *side, const char *word)
{
    for (uint32_t i = 0; i < side->laid.marks_count; i++) {
        const struct pdf_mark *mark = &side->laid.marks[i];
        if (mark->kind != PDF_MARK_LINE)
            continue;
        const char *all = pango_layout_get_text(mark->line->layout) + mark->line->start_index;
        struct str  text = { all, (size_t)mark->line->length };
        if (str_find(text, 0, str_of(word)) < text.len)
            return mark;
    }
    print_error("there is no %s\n", word);
    fail();
    return NULL;
}

/* The innermost frame around it. */
static const struct pdf_mark *frame(const struct side *side, const char *word)
{
    const struct pdf_mark *found = NULL, *inner = line(side, word);
    for (uint32_t i = 0; i < side->laid.marks_count; i++) {
        const struct pdf_mark *mark = &side->laid.marks[i];
        if (mark->kind == PDF_MARK_FRAME && mark->x <= inner->x + 0.1 && mark->y <= inner->y &&
            mark->x + mark->width >= inner->x + inner->width - 0.2 &&
            mark->y + mark->height >= inner->y + inner->height)
            found = mark;
    }
    assert_non_null(found);
    return found;
}

static void near(double is, double wanted)
{
    if (is < wanted - 0.6 || is > wanted + 0.6)
        print_error("%.2f, not %.2f\n", is, wanted);
    assert_true(is >= wanted - 0.6 && is <= wanted + 0.6);
}

static double middle(const struct pdf_mark *mark)
{
    return mark->x + mark->width / 2;
}

TEST(pdf_lay, space_between_two_blocks_is_the_larger_of_theirs_and_none_stands_first)
{
    struct side side;
    side_open(&side, "<p style='margin: 30pt 0 10pt'>one</p><p style='margin: 25pt 0 0 12pt'>two");
    near(line(&side, "one")->y, 0);
    near(line(&side, "two")->y, line(&side, "one")->height + 25);
    near(line(&side, "two")->x, 12);
    side_done(&side);
}

TEST(pdf_lay, a_column_is_as_wide_as_its_widest_cell_and_cells_share_the_rows_top)
{
    struct side side;
    side_open(&side, "<table cellspacing=0 cellpadding=0><tr><td>a<td>second<td>x"
                     "<tr><td>much longer words<td>b<td>y</table>");
    near(line(&side, "second")->x, line(&side, "much")->width);
    near(line(&side, "b")->x, line(&side, "second")->x);
    near(line(&side, "second")->y, line(&side, "a")->y);
    near(line(&side, "y")->x, line(&side, "x")->x);
    side_done(&side);
}

TEST(pdf_lay, widths_that_are_said_count_and_the_rest_goes_to_columns_that_say_none)
{
    struct side side;
    side_open(&side, "<table width=100% cellspacing=0 cellpadding=0><tr><td width=100>a"
                     "<td>b<td style='width: 25%'>c</table>");
    near(frame(&side, "a")->width, 75);
    near(frame(&side, "c")->width, PDF_TEXT_WIDTH / 4);
    near(frame(&side, "b")->width, PDF_TEXT_WIDTH * 3 / 4 - 75);
    side_done(&side);
}

TEST(pdf_lay, what_is_wider_than_the_paper_is_made_narrower)
{
    struct side side;
    side_open(&side, "<table width=2000 cellspacing=0><tr><td width=1500>a<td width=500>b</table>");
    near(frame(&side, "b")->x + frame(&side, "b")->width, PDF_TEXT_WIDTH);
    side_done(&side);
}

TEST(pdf_lay, a_cell_over_rows_or_columns_reaches_as_far_as_it_says)
{
    struct side side;
    side_open(&side, "<table cellspacing=0><tr><td rowspan=2>tall<td>b<tr><td>c<br>d<tr>"
                     "<td colspan=2>wide</table>");
    near(frame(&side, "tall")->y + frame(&side, "tall")->height,
         frame(&side, "c")->y + frame(&side, "c")->height);
    near(line(&side, "tall")->y + line(&side, "tall")->height / 2,
         frame(&side, "tall")->y + frame(&side, "tall")->height / 2);
    near(frame(&side, "wide")->width, frame(&side, "tall")->width + frame(&side, "b")->width);
    side_done(&side);
}

TEST(pdf_lay, a_cell_says_whether_its_words_stand_above_in_the_middle_or_below)
{
    struct side side;
    side_open(&side, "<table cellspacing=0 cellpadding=0><tr><td>1<br>2<br>3<td valign=top>top<td>"
                     "middle<td style='vertical-align: bottom'>bottom</table>");
    double tall = line(&side, "top")->height;
    near(line(&side, "middle")->y - line(&side, "top")->y, tall);
    near(line(&side, "bottom")->y - line(&side, "top")->y, 2 * tall);
    side_done(&side);
}

/* Layouts of mails centre their tables so, and not the words in them. */
TEST(pdf_lay, align_moves_a_table_and_not_its_words_but_text_align_moves_them)
{
    struct side side;
    side_open(&side, "<table width=100% cellspacing=0 cellpadding=0><tr><td align=center>over"
                     "<table width=400 cellspacing=0 cellpadding=0><tr><td>in</table></table>"
                     "<div style='text-align: center'><table width=400 cellpadding=0><tr><td>css");
    near(middle(line(&side, "over")), PDF_TEXT_WIDTH / 2);
    near(line(&side, "in")->x, (PDF_TEXT_WIDTH - 300) / 2);
    near(middle(line(&side, "css")), 150);
    side_done(&side);
}

TEST(pdf_lay, a_box_has_its_padding_its_border_and_its_ground)
{
    struct side side;
    side_open(&side, "<div style='background: #ff0; padding: 10pt 20pt; border-left: 4pt solid "
                     "red; width: 200pt; margin: 0 auto'>in</div>");
    const struct pdf_mark *box = frame(&side, "in");
    near(box->x, (PDF_TEXT_WIDTH - 200) / 2);
    near(line(&side, "in")->x, box->x + 24);
    near(box->height, line(&side, "in")->height + 20);
    assert_true(box->frame->background.is_set && box->frame->background.blue == 0);
    side_done(&side);
}

TEST(pdf_lay, a_button_is_as_wide_as_its_words_and_stands_where_words_would)
{
    struct side side;
    side_open(&side, "<p style='text-align: center'><a style='display: inline-block; background: "
                     "#c00; padding: 5pt 10pt'>Buy</a>");
    near(frame(&side, "Buy")->width, line(&side, "Buy")->width + 20);
    near(middle(frame(&side, "Buy")), PDF_TEXT_WIDTH / 2);
    side_done(&side);
}

static bool is_whole(const struct side *side, double from, double to)
{
    for (uint32_t i = 0; i < side->laid.wholes_count; i++)
        if (side->laid.wholes[i].from <= from && side->laid.wholes[i].to >= to)
            return true;
    return false;
}

TEST(pdf_lay, a_row_and_a_heading_with_what_follows_are_not_cut)
{
    struct side side;
    side_open(&side, "<h2>head</h2><p>next<br>more</p><table><tr><td>q<br>z</table>");
    assert_true(is_whole(&side, line(&side, "head")->y,
                         line(&side, "next")->y + line(&side, "next")->height));
    assert_false(is_whole(&side, line(&side, "next")->y,
                          line(&side, "more")->y + line(&side, "more")->height));
    assert_true(
        is_whole(&side, line(&side, "q")->y, line(&side, "z")->y + line(&side, "z")->height));
    side_done(&side);
}

TEST(pdf_lay, words_that_stand_between_cells_stay_in_their_order)
{
    struct side side;
    side_open(&side, "<table><caption>cap</caption><tr><td>q</tr>stray<tr><td>z</table>");
    assert_true(line(&side, "cap")->y < line(&side, "q")->y);
    assert_true(line(&side, "q")->y < line(&side, "stray")->y);
    assert_true(line(&side, "stray")->y < line(&side, "z")->y);
    side_done(&side);
}

TEST(pdf_lay, lengths_are_points_whatever_they_are_written_in)
{
    static const struct {
        const char   *text;
        enum pdf_unit unit;
        double        value;
    } all[] = {
        { "10px", PDF_POINTS, 7.5 },    { "10", PDF_POINTS, 7.5 },    { " 10pt ", PDF_POINTS, 10 },
        { "25.4mm", PDF_POINTS, 72 },   { "1in", PDF_POINTS, 72 },    { "2em", PDF_POINTS, 20 },
        { "50%", PDF_PERCENT, 50 },     { "900%", PDF_PERCENT, 100 }, { "-5px", PDF_POINTS, 0 },
        { "1e9px", PDF_AUTO, 0 },       { "auto", PDF_AUTO, 0 },      { "", PDF_AUTO, 0 },
        { "9999pt", PDF_POINTS, 1000 }, { "calc(1px)", PDF_AUTO, 0 }, { "1.2.3px", PDF_AUTO, 0 },
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct pdf_length is = pdf_style_length(str_of(all[i].text), 10);
        if (is.unit != all[i].unit)
            print_error("%s\n", all[i].text);
        assert_int_equal(is.unit, all[i].unit);
        near(is.value, all[i].value);
    }
}

TEST(pdf_lay, colours_are_read_as_css_writes_them)
{
    static const struct {
        const char *text;
        int         red, green, blue; /* -1: none */
    } all[] = {
        { "#fff", 255, 255, 255 },
        { "#0F6E7C", 15, 110, 124 },
        { "#0f6e7cff", 15, 110, 124 },
        { "green", 0, 128, 0 },
        { "RED", 255, 0, 0 },
        { "rgb(1, 2, 3)", 1, 2, 3 },
        { "rgba(255,0,0,.5)", 255, 0, 0 },
        { "rgb(100%, 0%, 0%)", 255, 0, 0 },
        { "rgba(0,0,0,0)", -1, 0, 0 },
        { "transparent", -1, 0, 0 },
        { "#12345", -1, 0, 0 },
        { "#ggg", -1, 0, 0 },
        { "inherit", -1, 0, 0 },
        { "rgb(", 0, 0, 0 },
        { "", -1, 0, 0 },
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct pdf_color is = pdf_style_color(str_of(all[i].text));
        if (is.is_set != (all[i].red >= 0))
            print_error("%s\n", all[i].text);
        assert_int_equal(is.is_set, all[i].red >= 0);
        if (!is.is_set)
            continue;
        assert_int_equal((int)(is.red * 255 + 0.5), all[i].red);
        assert_int_equal((int)(is.green * 255 + 0.5), all[i].green);
        assert_int_equal((int)(is.blue * 255 + 0.5), all[i].blue);
    }
}

TEST(pdf_lay, words_stay_on_the_paper_whatever_pushes_them)
{
    static const char *const all[] = {
        "<p style='margin-left:800px'>far",
        "<table cellpadding=1000><tr><td>far</table>",
        "<div style='padding:0 400px'><div style='padding:0 400px'>far</div></div>",
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct side side;
        side_open(&side, all[i]);
        assert_true(line(&side, "f")->x <= PDF_TEXT_WIDTH - 20);
        side_done(&side);
    }
}

TEST(pdf_lay, a_cell_over_columns_ends_where_one_comes_down_from_above)
{
    struct side side;
    side_open(&side,
              "<table><tr><td>a<td rowspan=3>long<tr><td colspan=2>cc<tr><td>d<td>e</table>");
    assert_true(line(&side, "e")->x > line(&side, "long")->x + 1);
    assert_true(line(&side, "cc")->x < line(&side, "long")->x - 1);
    side_done(&side);
}
