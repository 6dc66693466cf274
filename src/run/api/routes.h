/*
 * routes: the table of all that is served, as data.
 *
 * A route is run on its loop thread (`run`: events, which must not wait) or at a desk (`call`).
 * openapi.json describes every one of them; a test compares the two.
 */
#ifndef DULT_RUN_ROUTES_H
#define DULT_RUN_ROUTES_H

#include "server/router.h"

struct call;
typedef enum err call_run(struct call *call);

struct api_route {
    const char     *method, *pattern;
    route_run      *run; /* one of the two */
    call_run       *call;
    enum route_need need;
    const char     *scope;
    size_t          body_bytes_max;
    bool            is_quick;  /* at the first desk, which never waits long */
    bool            is_report; /* by the crew, which asks everyone */
    const char     *summary;
};

const struct api_route *api_routes(size_t *count);

/* Every function of the table. */
route_run collect_post, collect_settings;
call_run  import_post;
call_run  track_open, track_click, track_page, track_unsubscribe, track_view;
call_run  track_trap, preferences_page, preferences_post, confirm_page, confirm_post;
call_run  question_page, question_post, file_page, file_post, file_download;
call_run  files_list, file_put, file_delete, file_content;
call_run  health_show, metrics_show, openapi_show, segment_schema_show, stats_show, rejected_list,
    refused_list;
call_run profile_show, profile_timeline, profile_export, form_post, profile_explain,
    profile_unmerge, profile_consent, profile_consents, profile_lists, profile_stage,
    profile_stage_set, profile_stage_clear, profile_erase, erasure_show, suppressions_list,
    suppression_show, suppression_add, suppression_lift, returned_post, hook_post, receipt_post,
    channels_list, channels_measure;
call_run template_preview, template_people, domains_show;
call_run definitions_list, definition_show, definition_put, definition_delete;
call_run broadcast_launch, broadcast_pause, broadcast_resume, broadcast_cancel,
    broadcast_retry_failed, broadcast_choose_one, broadcast_people, broadcast_numbers;
call_run codes_post, codes_list, codes_withdraw, code_show;
call_run segment_count, segment_count_post, segment_members, segment_people;
call_run report_trends_post, report_funnel_post, report_retention_post, report_spread_post,
    report_growth_post, report_attribution_post, report_attribution_get, report_stages_post;
call_run experiments_list, experiment_show, experiment_learn;
call_run check_show, map_show, journey_numbers, journeys_rehearse, enrollment_post,
    enrollment_delete, journey_pause, journey_resume, journey_stop, journey_winner_post,
    journey_winner_delete;
call_run rehearsals_post, rehearsals_list, rehearsals_show, rehearsals_delete;
call_run report_people, report_list_post, reports_running, report_stop;
call_run sending_show, sending_put;
call_run live_show, live_post, template_test;
call_run messages_list, messages_summary, message_post, message_show, message_settle;
call_run keys_list, keys_add, keys_revoke, owner_claim;

#endif
