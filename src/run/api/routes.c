#include "run/api/routes.h"
#include "run/api/publishing.h"

#include "bounce/bounce.h"
#include "intake/text_hook.h"
#include "run/api/api.h"
#include "run/send/file_def.h"

enum {
    EVENT_BODY_BYTES_MAX = 4 << 20, /* as sent; inflated it is bounded again */
    FORM_BYTES_MAX = 16 << 10,
    PAGE_BODY_BYTES_MAX = 256 << 10,   /* every box of 1,000 is named three times */
    MESSAGE_BODY_BYTES_MAX = 12 << 20, /* files of 7 MiB in base64, and the rest */
    TEXT_BYTES_MAX = 4 << 20,          /* a template of 2 MiB, and what JSON makes of it */
};

#define EVENTS(path)                                                                               \
    {                                                                                              \
        "POST", path, .run = collect_post, .need = ROUTE_WRITE_KEY,                                \
                      .body_bytes_max = EVENT_BODY_BYTES_MAX, .summary = "Take events"             \
    }
#define QUICK(verb, path, function, text)                                                          \
    {                                                                                              \
        verb, path, .call = function, .need = ROUTE_OPEN, .body_bytes_max = FORM_BYTES_MAX,        \
                    .is_quick = true, .summary = text                                              \
    }
#define OPEN(verb, path, function, text)                                                           \
    {                                                                                              \
        verb, path, .call = function, .need = ROUTE_OPEN, .body_bytes_max = FORM_BYTES_MAX,        \
                    .summary = text                                                                \
    }
#define PAGE(verb, path, function, text)                                                           \
    {                                                                                              \
        verb, path, .call = function, .need = ROUTE_OPEN, .body_bytes_max = PAGE_BODY_BYTES_MAX,   \
                    .summary = text                                                                \
    }
#define SCOPE(verb, path, function, word, text)                                                    \
    {                                                                                              \
        verb, path, .call = function, .need = ROUTE_SCOPE, .scope = word,                          \
                    .body_bytes_max = TEXT_BYTES_MAX, .summary = text                              \
    }
#define REPORT(verb, path, function, word, text)                                                   \
    {                                                                                              \
        verb, path, .call = function, .need = ROUTE_SCOPE, .scope = word,                          \
                    .body_bytes_max = TEXT_BYTES_MAX, .is_report = true, .summary = text           \
    }
#define DEFINITIONS(kind)                                                                          \
    SCOPE("GET", "/api/v1/" kind, definitions_list, "definitions:read", "List what is defined"),   \
        SCOPE("GET", "/api/v1/" kind "/{name}", definition_show, "definitions:read",               \
              "Show one definition"),                                                              \
        SCOPE("PUT", "/api/v1/" kind "/{name}", definition_put, "definitions:write",               \
              "Define or change; ?dry=1 only checks"),                                             \
        SCOPE("DELETE", "/api/v1/" kind "/{name}", definition_delete, "definitions:write",         \
              "Delete a definition")

static const struct api_route ROUTES[] = {
    EVENTS("/v1/identify"),
    EVENTS("/v1/track"),
    EVENTS("/v1/page"),
    EVENTS("/v1/screen"),
    EVENTS("/v1/group"),
    EVENTS("/v1/alias"),
    EVENTS("/v1/batch"),
    EVENTS("/v1/import"),
    EVENTS("/v1/i"),
    EVENTS("/v1/t"),
    EVENTS("/v1/p"),
    EVENTS("/v1/s"),
    EVENTS("/v1/g"),
    EVENTS("/v1/a"),
    EVENTS("/v1/b"),
    EVENTS("/v1/m"),
    { "GET", "/v1/projects/{writeKey}/settings", .run = collect_settings, .need = ROUTE_WRITE_KEY,
      .summary = "What analytics.js asks before it sends" },

    QUICK("GET", "/o/{token}", track_open, "The pixel of an e-mail; records that it was opened"),
    QUICK("GET", "/c/{token}", track_click, "A link of an e-mail; records the click, redirects"),
    QUICK("GET", "/u/{token}", track_page, "The unsubscribe page; changes nothing"),
    QUICK("POST", "/u/{token}", track_unsubscribe, "Unsubscribe, by one click or by the button"),
    QUICK("GET", "/h/{token}", track_trap, "A link that nobody sees; leads nowhere"),
    OPEN("GET", "/p/{token}", preferences_page, "All topics by channel; changes nothing"),
    PAGE("POST", "/p/{token}", preferences_post, "Change what one is written to about, or undo it"),
    OPEN("GET", "/s/{token}", confirm_page, "The page that confirms a yes; changes nothing"),
    OPEN("POST", "/s/{token}", confirm_post, "Confirm a yes, by the button"),
    OPEN("GET", "/q/{token}", question_page, "A question of a mail; a look is a click, no answer"),
    OPEN("POST", "/q/{token}", question_post, "Answer it, by the button"),
    OPEN("GET", "/g/{token}", file_page, "The page of a file; changes nothing"),
    OPEN("POST", "/g/{token}", file_post, "Record the download and lead to the file"),
    OPEN("GET", "/d/{token}", file_download, "The file, for six hours after the button"),
    OPEN("GET", "/v/{token}", track_view, "The mail in a browser; changes nothing"),

    OPEN("POST", "/f/{form}", form_post,
         "Sign up by a form of another site; a mail asks to confirm"),

    QUICK("GET", "/healthz", health_show, "Is the program well?"),
    OPEN("GET", "/metrics", metrics_show, "Numbers as Prometheus reads them"),
    QUICK("GET", "/api/v1/openapi.json", openapi_show, "This description"),
    QUICK("GET", "/api/v1/segments/schema", segment_schema_show,
          "The JSON Schema of conditions in JSON"),
    OPEN("POST", "/api/v1/owner", owner_claim, "Turn the one-time token into the owner's key"),

    SCOPE("GET", "/api/v1/stats", stats_show, "stats:read", "Numbers of everything"),
    SCOPE("GET", "/api/v1/rejected", rejected_list, "events:read", "Events that were not taken"),
    SCOPE("GET", "/api/v1/refused", refused_list, "events:read", "Requests turned away lately"),
    { "POST", "/api/v1/import", .call = import_post, .need = ROUTE_SCOPE, .scope = "import:write",
      .body_bytes_max = API_IMPORT_BYTES_MAX, .summary = "Take historical events in bulk" },

    SCOPE("GET", "/api/v1/profiles/{who}", profile_show, "profiles:read", "Show a person"),
    SCOPE("GET", "/api/v1/profiles/{who}/timeline", profile_timeline, "profiles:read",
          "What happened and what followed, newest first"),
    SCOPE("GET", "/api/v1/profiles/{who}/export", profile_export, "profiles:read",
          "Everything that is kept about a person, in one document"),
    SCOPE("GET", "/api/v1/profiles/{who}/explain", profile_explain, "profiles:read",
          "Why is this person in a segment, a journey; why a message?"),
    SCOPE("POST", "/api/v1/profiles/{who}/unmerge", profile_unmerge, "profiles:write",
          "Undo a merge"),
    SCOPE("GET", "/api/v1/profiles/{who}/consent", profile_consents, "profiles:read",
          "What the person said to each topic, with the proof of each word"),
    SCOPE("POST", "/api/v1/profiles/{who}/consent", profile_consent, "profiles:write",
          "Subscribe to or unsubscribe from a topic, or all"),
    SCOPE("POST", "/api/v1/profiles/{who}/lists", profile_lists, "profiles:write",
          "Join or leave a list"),
    SCOPE("GET", "/api/v1/profiles/{who}/stage", profile_stage, "profiles:read",
          "In which stage is this person, and by whose word?"),
    SCOPE("PUT", "/api/v1/profiles/{who}/stage", profile_stage_set, "profiles:write",
          "Set a person's stage by hand"),
    SCOPE("DELETE", "/api/v1/profiles/{who}/stage", profile_stage_clear, "profiles:write",
          "Take back what was said of a person's stage by hand"),

    SCOPE("DELETE", "/api/v1/profiles/{who}", profile_erase, "profiles:write",
          "Erase a person; ?dry=1 only says whom"),
    SCOPE("GET", "/api/v1/erasures/{id}", erasure_show, "profiles:read", "How far is an erasure?"),

    REPORT("GET", "/api/v1/segments/count", segment_count, "segments:read",
           "Count the people a condition holds for"),
    REPORT("POST", "/api/v1/segments/count", segment_count_post, "segments:read",
           "Count the people a condition holds for"),
    REPORT("GET", "/api/v1/segments/{name}/members", segment_members, "segments:read",
           "List the people in a segment"),
    REPORT("POST", "/api/v1/segments/people", segment_people, "segments:read",
           "List the people a condition holds for"),
    DEFINITIONS("segments"),
    DEFINITIONS("traits"),
    DEFINITIONS("scores"),
    DEFINITIONS("journeys"),
    REPORT("POST", "/api/v1/journeys/rehearse", journeys_rehearse, "profiles:read",
           "Who would have gone through a draft, and what would have been sent"),
    SCOPE("POST", "/api/v1/rehearsals", rehearsals_post, "profiles:read",
          "Begin a rehearsal that may take long; one at a time"),
    SCOPE("GET", "/api/v1/rehearsals", rehearsals_list, "profiles:read",
          "The rehearsals that are kept, the newest first"),
    SCOPE("GET", "/api/v1/rehearsals/{id}", rehearsals_show, "profiles:read",
          "How far a rehearsal is, and its answer"),
    SCOPE("DELETE", "/api/v1/rehearsals/{id}", rehearsals_delete, "profiles:read",
          "Stop a rehearsal, or forget one that has ended"),
    SCOPE("POST", "/api/v1/journeys/{name}/enrollments", enrollment_post, "profiles:write",
          "Let a person into a journey"),
    SCOPE("DELETE", "/api/v1/journeys/{name}/enrollments/{who}", enrollment_delete,
          "profiles:write", "Take a person out of a journey"),
    SCOPE("POST", "/api/v1/journeys/{name}/pause", journey_pause, "definitions:write",
          "Pause a journey: nobody comes in, nobody goes on"),
    SCOPE("POST", "/api/v1/journeys/{name}/resume", journey_resume, "definitions:write",
          "Go on with a paused or stopped journey"),
    SCOPE("POST", "/api/v1/journeys/{name}/stop", journey_stop, "definitions:write",
          "Stop a journey: it is left by everybody"),
    SCOPE("POST", "/api/v1/journeys/{name}/nodes/{node}/winner", journey_winner_post,
          "definitions:write", "Choose the variant that newcomers at the node get; ?variant=NAME"),
    SCOPE("DELETE", "/api/v1/journeys/{name}/nodes/{node}/winner", journey_winner_delete,
          "definitions:write", "Take back which variant was chosen at the node"),
    SCOPE("GET", "/api/v1/drafts", journey_drafts, "definitions:read",
          "The drafts of journeys, which have no effect"),
    SCOPE("GET", "/api/v1/journeys/{name}/draft", journey_draft_show, "definitions:read",
          "A journey's draft, and what would keep it from being published"),
    SCOPE("PUT", "/api/v1/journeys/{name}/draft", journey_draft_put, "definitions:write",
          "Save a draft beside the published journey; nothing else changes"),
    SCOPE("DELETE", "/api/v1/journeys/{name}/draft", journey_draft_delete, "definitions:write",
          "Throw a draft away"),
    SCOPE("GET", "/api/v1/journeys/{name}/draft/changes", journey_draft_changes, "definitions:read",
          "What the draft changes in what is published: rules and nodes"),
    SCOPE("POST", "/api/v1/journeys/{name}/draft/publish", journey_draft_publish,
          "definitions:write", "Publish the draft; ?inside=, ?also_inside=1, ?dry=1 as of a PUT"),
    SCOPE("GET", "/api/v1/journeys/{name}/versions", journey_versions, "definitions:read",
          "The versions of a journey, and how many are inside each"),
    SCOPE("GET", "/api/v1/journeys/{name}/versions/{number}", journey_version_show,
          "definitions:read", "One version of a journey"),
    SCOPE("GET", "/api/v1/journeys/{name}/versions/{number}/changes", journey_changes,
          "definitions:read", "What differs from ?from= another version: rules and nodes"),
    SCOPE("POST", "/api/v1/journeys/{name}/rollback", journey_rollback, "definitions:write",
          "Publish version ?to= again, as a new one; ?inside=move, ?dry=1"),
    DEFINITIONS("templates"),
    SCOPE("POST", "/api/v1/templates/{name}/preview", template_preview, "profiles:read",
          "A message as one person would get it; nothing is sent"),
    SCOPE("POST", "/api/v1/templates/{name}/people", template_people, "profiles:read",
          "Which variables are missing for how many of those who would get it"),
    SCOPE("GET", "/api/v1/domains", domains_show, "definitions:read",
          "What the DNS says of the domains mail comes from, and what is to be published"),
    DEFINITIONS("snippets"),
    DEFINITIONS("codes"),
    SCOPE("GET", "/api/v1/codes/{name}/codes", codes_list, "profiles:read",
          "The codes of a pool by number, as JSON or CSV; ?state= left, given, redeemed ..."),
    SCOPE("POST", "/api/v1/codes/{name}/codes", codes_post, "definitions:write",
          "Add codes to a pool; one that is there counts once"),
    SCOPE("DELETE", "/api/v1/codes/{name}/codes", codes_withdraw, "definitions:write",
          "Withdraw what is left of a pool"),
    SCOPE("GET", "/api/v1/code/{code}", code_show, "profiles:read",
          "Who got a code, with which message, and which order redeemed it"),
    DEFINITIONS("broadcasts"),
    SCOPE("POST", "/api/v1/broadcasts/{name}/launch", broadcast_launch, "messages:write",
          "Launch a broadcast; ?dry=1 only tells who would get it"),
    SCOPE("POST", "/api/v1/broadcasts/{name}/pause", broadcast_pause, "messages:write",
          "Pause a broadcast: nothing more is begun"),
    SCOPE("POST", "/api/v1/broadcasts/{name}/resume", broadcast_resume, "messages:write",
          "Go on with a paused broadcast"),
    SCOPE("POST", "/api/v1/broadcasts/{name}/cancel", broadcast_cancel, "messages:write",
          "Cancel a broadcast: who waits is held back"),
    SCOPE("POST", "/api/v1/broadcasts/{name}/retry-failed", broadcast_retry_failed,
          "messages:write", "Send a broadcast again to those for whom it failed"),
    SCOPE("POST", "/api/v1/broadcasts/{name}/choose", broadcast_choose_one, "messages:write",
          "Choose the variant that all who are still to come get; ?variant=NAME"),
    SCOPE("GET", "/api/v1/broadcasts/{name}/people", broadcast_people, "profiles:read",
          "Who got a broadcast, and who did not; ?state= sent, failed, held_back ..."),
    REPORT("GET", "/api/v1/broadcasts/{name}/numbers", broadcast_numbers, "reports:read",
           "What became of a broadcast's messages, in all and by variant"),
    DEFINITIONS("questions"),
    DEFINITIONS("touchpoints"),
    SCOPE("GET", "/api/v1/files", files_list, "definitions:read",
          "List the files that mails hand out"),
    SCOPE("GET", "/api/v1/files/{name}", definition_show, "definitions:read", "Show one file"),
    { "PUT", "/api/v1/files/{name}", .call = file_put, .need = ROUTE_SCOPE,
      .scope = "definitions:write", .body_bytes_max = FILE_CONTENT_BYTES_MAX,
      .summary = "Put a file, or another version of it; ?dry=1 only checks" },
    SCOPE("DELETE", "/api/v1/files/{name}", file_delete, "definitions:write",
          "Delete a file with all its versions"),
    SCOPE("GET", "/api/v1/files/{name}/content", file_content, "definitions:read",
          "The bytes of a file; ?version= of an older one"),
    SCOPE("GET", "/api/v1/stages", definition_show, "definitions:read",
          "Show the stages, each with its people now"),
    SCOPE("PUT", "/api/v1/stages", definition_put, "definitions:write",
          "Set the stages; ?dry=1 only checks"),
    SCOPE("DELETE", "/api/v1/stages", definition_delete, "definitions:write", "Delete the stages"),
    SCOPE("GET", "/api/v1/topics", definition_show, "definitions:read",
          "Show the topics with their texts"),
    SCOPE("PUT", "/api/v1/topics", definition_put, "definitions:write",
          "Set the topics; ?dry=1 only checks"),
    SCOPE("DELETE", "/api/v1/topics", definition_delete, "definitions:write",
          "Delete the topics' texts and rules"),
    SCOPE("GET", "/api/v1/limits", definition_show, "definitions:read",
          "Show quiet hours, and how much one person gets"),
    SCOPE("PUT", "/api/v1/limits", definition_put, "definitions:write",
          "Set quiet hours and limits; ?dry=1 only checks"),
    SCOPE("DELETE", "/api/v1/limits", definition_delete, "definitions:write",
          "Delete quiet hours and limits"),
    SCOPE("GET", "/api/v1/rates", definition_show, "definitions:read",
          "Show what currencies were worth"),
    SCOPE("PUT", "/api/v1/rates", definition_put, "definitions:write",
          "Set what currencies were worth; ?dry=1 only checks"),
    SCOPE("DELETE", "/api/v1/rates", definition_delete, "definitions:write",
          "Delete what currencies were worth"),
    SCOPE("GET", "/api/v1/retention", definition_show, "definitions:read",
          "Show how long events are kept, and how far that is carried out"),
    SCOPE("PUT", "/api/v1/retention", definition_put, "definitions:write",
          "Set how long events are kept; ?dry=1 only tells what would go"),
    SCOPE("DELETE", "/api/v1/retention", definition_delete, "definitions:write",
          "Keep all events for ever"),
    SCOPE("GET", "/api/v1/workspace", definition_show, "definitions:read", "Show the workspace"),
    SCOPE("PUT", "/api/v1/workspace", definition_put, "definitions:write",
          "Set the workspace; ?dry=1 only checks"),

    REPORT("GET", "/api/v1/check", check_show, "reports:read",
           "What the drawings in force hide; ?counts=1 with people counted from history"),
    REPORT("GET", "/api/v1/map", map_show, "reports:read",
           "The customer journey: each stage with its people, touchpoints, segments and journeys"),
    REPORT("GET", "/api/v1/journeys/{name}/numbers", journey_numbers, "reports:read",
           "What became of those who came into a journey, by node and variant, and its lift"),
    SCOPE("GET", "/api/v1/experiments", experiments_list, "reports:read",
          "Every experiment, what it was to show and what was learnt; ?search=WORDS"),
    SCOPE("GET", "/api/v1/experiments/{name}", experiment_show, "reports:read",
          "One experiment, its variants now, and as they were when it was learnt from"),
    SCOPE("PUT", "/api/v1/experiments/{name}/lesson", experiment_learn, "definitions:write",
          "Keep what was learnt, with the numbers of now; an empty lesson takes it away"),
    REPORT("POST", "/api/v1/reports/trends", report_trends_post, "reports:read",
           "How often something happens, and how many people do it"),
    REPORT("POST", "/api/v1/reports/funnel", report_funnel_post, "reports:read",
           "How far people come in a row of steps"),
    REPORT("POST", "/api/v1/reports/retention", report_retention_post, "reports:read",
           "Who of those who began in a period came back"),
    REPORT("POST", "/api/v1/reports/spread", report_spread_post, "reports:read",
           "How long it takes from one event to another"),
    REPORT("POST", "/api/v1/reports/growth", report_growth_post, "reports:read",
           "How a segment or a list grows"),
    REPORT("POST", "/api/v1/reports/attribution", report_attribution_post, "reports:read",
           "Orders and revenue by message, node, variant, journey or broadcast"),
    REPORT("GET", "/api/v1/reports/attribution", report_attribution_get, "reports:read",
           "The same, by the query"),
    REPORT("POST", "/api/v1/reports/stages", report_stages_post, "reports:read",
           "How many are in each stage, who came, how long they stayed, where they went on to"),
    REPORT("POST", "/api/v1/reports/{report}/people", report_people, "reports:read",
           "The people behind one number of a report"),
    REPORT("POST", "/api/v1/reports/{report}/list", report_list_post, "profiles:write",
           "Those people join a list"),
    SCOPE("GET", "/api/v1/reports/running", reports_running, "reports:read",
          "The questions to everyone that are being answered"),
    SCOPE("DELETE", "/api/v1/reports/running/{id}", report_stop, "reports:read",
          "Stop one of them"),

    SCOPE("POST", "/api/v1/templates/{name}/test", template_test, "messages:write",
          "Send a test of it, with a person's data, to an address"),
    SCOPE("GET", "/api/v1/live", live_show, "messages:read",
          "May mail reach people? With the counts of what that means"),
    SCOPE("POST", "/api/v1/live", live_post, "keys:admin", "Go live, or back on trial"),
    SCOPE("GET", "/api/v1/messages", messages_list, "messages:read", "List messages, newest first"),
    SCOPE("GET", "/api/v1/messages/summary", messages_summary, "messages:read",
          "How many messages are in which state"),
    { "POST", "/api/v1/messages", .call = message_post, .need = ROUTE_SCOPE,
      .scope = "messages:write", .body_bytes_max = MESSAGE_BODY_BYTES_MAX,
      .summary = "Send a message to a person or an address, once for each key" },
    SCOPE("GET", "/api/v1/messages/{id}", message_show, "messages:read",
          "One message, with every step of its way"),
    SCOPE("POST", "/api/v1/messages/{id}/settle", message_settle, "messages:write",
          "Say what became of a message whose answer was lost"),

    { "POST", "/api/v1/bounces", .call = returned_post, .need = ROUTE_SCOPE,
      .scope = "messages:write", .body_bytes_max = BOUNCE_MAIL_BYTES_MAX,
      .summary = "Take a returned mail or a complaint; ?token= of its return path" },
    { "POST", "/api/v1/hooks/{service}", .call = hook_post, .need = ROUTE_OPEN,
      .body_bytes_max = HOOK_BODY_BYTES_MAX,
      .summary = "What a mail service tells of bounces and complaints; it proves itself" },
    SCOPE("GET", "/api/v1/sending", sending_show, "messages:read",
          "Is sending on or stopped, why, and what it would be stopped for"),
    SCOPE("PUT", "/api/v1/sending", sending_put, "messages:write",
          "Stop or resume sending, or change when it stops by itself"),
    SCOPE("GET", "/api/v1/channels", channels_list, "messages:read",
          "By which service each channel goes, and how many postcards this month"),
    SCOPE("POST", "/api/v1/channels/sms/measure", channels_measure, "messages:read",
          "Parts, sender and price of a text message"),
    { "POST", "/api/v1/receipts/{service}", .call = receipt_post, .need = ROUTE_OPEN,
      .body_bytes_max = TEXT_HOOK_BODY_BYTES_MAX,
      .summary = "What a service tells of text messages and postcards, and what people answer" },
    SCOPE("GET", "/api/v1/suppressions", suppressions_list, "messages:read",
          "List the addresses that nothing is sent to, newest first"),
    SCOPE("POST", "/api/v1/suppressions", suppression_add, "messages:write",
          "Send nothing to an address"),
    SCOPE("GET", "/api/v1/suppressions/{address}", suppression_show, "messages:read",
          "Is this address suppressed, and why?"),
    SCOPE("DELETE", "/api/v1/suppressions/{address}", suppression_lift, "messages:write",
          "Send to an address again"),

    SCOPE("GET", "/api/v1/keys", keys_list, "keys:admin", "List keys"),
    SCOPE("POST", "/api/v1/keys", keys_add, "keys:admin", "Make a key; it is shown once"),
    SCOPE("DELETE", "/api/v1/keys/{id}", keys_revoke, "keys:admin", "Revoke a key"),
};

const struct api_route *api_routes(size_t *count)
{
    *count = sizeof ROUTES / sizeof ROUTES[0];
    return ROUTES;
}
