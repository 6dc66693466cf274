/*
 * render: the state of one rendering.
 *
 * A frame holds the variables of the template, and another one those of each `render`ed snippet.
 * A cell is what a symbol is bound to: a loop or an argument (bound) hides what was assigned,
 * which hides a counter, which hides the data.
 */
#ifndef DULT_TEMPLATE_RENDER_H
#define DULT_TEMPLATE_RENDER_H

#include "template/program.h"

struct cell {
    struct value       bound, assigned;
    const struct json *data;
    int64_t            counter;
    bool               is_bound, is_assigned, is_counter, is_searched;
};

/* forloop and tablerowloop; stays alive in the arena as long as the render. */
struct loop {
    const struct each *each;
    struct str         name;
    struct loop       *parent;     /* parentloop */
    struct value       collection; /* sequence, or object of pairs */
    int64_t            from, length, index;
    int64_t            cols, col, row;
    struct cell        saved_item, saved_loop;
    struct loop       *outer; /* of this unit's running loops */
};

struct cycle_state {
    struct value        key;
    bool                named;
    uint32_t            next;
    struct cycle_state *older;
};

struct continue_state {
    struct str             name;
    int64_t                at;
    struct continue_state *older;
};

struct frame {
    struct cell           *cells;
    uint32_t               cell_count;
    bool                   isolated;
    struct loop           *loop; /* innermost for, for parentloop */
    struct cycle_state    *cycles;
    struct continue_state *continues;
};

struct render {
    const struct template             *t; /* grows by snippets with computed names */
    struct arena                      *arena;
    const struct json                 *data;
    const struct template_render_conf *conf;
    struct buf                        *out;
    size_t                             out_start;
    size_t                             out_max;
    struct template_report            *report;
    struct frame                      *frame;
    struct str                         changed; /* ifchanged's last text */
    const struct op                   *op;
    const struct unit                 *unit;
    int64_t                            steps_left;
    int                                depth;
    bool                               faulty; /* a fault in the running operation */
    enum err                           err;    /* sticky: why the render stops */
};

/* Takes `steps` of the bound; false (and err is set) when it is used up. */
bool render_charge(struct render *r, int64_t steps);
bool render_charge_bytes(struct render *r, size_t bytes);

/* Stops the render. */
void render_stop(struct render *r, enum err code, const char *what, const char *remedy);
/* Reports a fault of the running operation; gives nil, so that filters can return it. */
struct value render_fault(struct render *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Reports that a path led to nothing and was used. */
void render_missing(struct render *r, const struct path *path);

/* Scratch memory within bounds, or NULL and the render stops. */
void         *render_alloc(struct render *r, size_t count, size_t size);
struct value *render_values(struct render *r, size_t count);
/* The text of a buf as a string in the arena; the buf is done. */
struct value render_text(struct render *r, struct buf *text);
struct buf   render_buf(void); /* bounded by TEMPLATE_VALUE_BYTES_MAX */

struct value eval_expr(struct render *r, const struct expr *expr);
struct value eval_path(struct render *r, const struct path *path);
bool         eval_test(struct render *r, const struct test *test);
struct cell *eval_cell(struct render *r, uint32_t symbol);
/* A variable by its number, or by a name that no tag may have numbered. */
struct value eval_symbol(struct render *r, uint32_t symbol);
struct value eval_variable(struct render *r, struct str name);

/* Loops: begin gives false when there is nothing to do; next false after the last item. */
bool         loop_begin(struct render *r, const struct each *each, struct loop **running);
bool         loop_next(struct render *r, struct loop *loop);
void         loop_end(struct render *r, struct loop **running);
void         loop_cell_end(struct render *r, const struct loop *loop);
struct value loop_member(struct render *r, const struct loop *loop, enum known known);
struct value loop_item(struct render *r, const struct loop *loop);

/* A frame with a cell for every symbol, or NULL and the render stops. */
struct frame *frame_open(struct render *r, bool isolated);
void          unit_run(struct render *r, const struct unit *unit, enum op_code *left_by);
void          call_run(struct render *r, const struct call *call, enum op_code *left_by);
void          cycle_run(struct render *r, const struct cycle *cycle);
void          out_value(struct render *r, struct value *v);

#endif
