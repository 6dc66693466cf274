/* The table of commands, and the help that is written from it. */
#include <string.h>

#include "run/cli/cli.h"

const struct cli_command CLI_COMMANDS[] = {
    { .name = "serve",
      .purpose = "run Dult on a data folder",
      .usage = "[--data DIR] [--listen HOST:PORT] [settings]",
      .more =
          "Makes the folder when it is not there. Ctrl-C ends it in order: what was answered is\n"
          "on disk. SIGHUP reads the certificate again. A setting may stand in DIR/dult.conf\n"
          "(listen = ...), in a variable (DULT_LISTEN) or here (--listen); the later wins.",
      .example = "dult serve --data ./data --outbox ./data/outbox",
      .has_data = true,
      .has_settings = true,
      .run = cli_serve },
    { .name = "import",
      .purpose = "take in history from a file: CSV, columns, NDJSON",
      .usage = "[--data DIR] --mapping MAPPING [--dry-run] [--live [--yes]] FILE",
      .more = "The mapping says what a row means (connectors/ has examples). It is looked for as\n"
              "given, in the data folder, beside the file, among the connectors. The same file\n"
              "imported again adds nothing. History updates people and segments; it starts no\n"
              "journey and sends nothing, unless --live says so, and then the count comes first.",
      .example = "dult import --mapping cdnow.json CDNOW_master.txt",
      .options = { { "mapping", "FILE", "what a row means" },
                   { "dry-run", NULL, "say what would happen, and import nothing" },
                   { "live", NULL, "as if it happened now, where it is recent; asks first" },
                   { "yes", NULL, "do not ask" },
                   { "refused", "FILE", "write the refused rows to this file" } },
      .words_least = 1,
      .words_most = 1,
      .has_data = true,
      .run = cli_import },
    { .name = "apply",
      .purpose = "make a folder of segments, journeys and templates so",
      .usage = "[--data DIR] [--fire] [--inside finish|move|backfill] [--yes] FOLDER",
      .more = "The folder holds workspace.json, topics.json, limits.json, rates.json, stages.json, "
              "snippets/*.liquid,\n"
              "templates/*.email, traits/*.txt, codes/*.json, segments/*.segment, "
              "questions/*.json, files/*,\n"
              "journeys/*.json, broadcasts/*.json and touchpoints/*.json. All of it is checked "
              "first;\n"
              "one fault, and nothing is changed. What is defined and not in the folder stays. Who "
              "enters a\n"
              "segment because its definition changed starts no journey, unless --fire says so;\n"
              "then it is told first how many may, and asked. Those inside a journey that changes "
              "finish the\n"
              "version they came in by; with --inside move they go on by the new one where they "
              "stand at\n"
              "a node that it has, after it was said how many do.",
      .example = "dult apply --data ./data shop/",
      .options = { { "fire", NULL, "changed segments may start journeys; asks first" },
                   { "inside", "finish|move|backfill", "what those inside a changed journey do" },
                   { "also-inside", NULL, "who is in what begins a journey comes in; asks first" },
                   { "yes", NULL, "do not ask" } },
      .words_least = 1,
      .words_most = 1,
      .has_data = true,
      .run = cli_apply },
    { .name = "diff",
      .purpose = "show what apply would change",
      .usage = "[--data DIR] FOLDER",
      .more = "Ends with 1 when something differs, 0 when nothing does.",
      .example = "dult diff --data ./data shop/",
      .words_least = 1,
      .words_most = 1,
      .has_data = true,
      .run = cli_diff },
    { .name = "check",
      .purpose = "look for faults in a folder, or in templates, on its own",
      .usage = "FOLDER\nFILE.email...\n[--data DIR] --people N [--person WHO,...] "
               "FOLDER|FILE.email...\n[--data DIR] --counts FOLDER\n--links FOLDER|FILE.email...",
      .more =
          "Needs no data folder and changes nothing: for an editor, or before a commit. Templates\n"
          "are also looked through for what would hurt their mails: broken links, images "
          "nobody\nsees, HTML that Gmail cuts, no postal address. Files named by themselves are "
          "read with\nthe workspace, segments and snippets of their folder. --people renders each "
          "template for\nso many of the people in the data folder who would get it, and counts "
          "which variables\nare missing for how many. --counts asks the data folder what drawings "
          "hide: journeys\nthat held the same people or wrote to them on the same day, segments "
          "that "
          "hold the same,\nways and exits that nobody takes, segments that nothing asks for. "
          "--links asks each http link whether "
          "it answers.",
      .example = "dult check shop/",
      .options = { { "people", "N", "render for so many people of the data folder, up to 1000" },
                   { "person", "WHO,...", "for these people" },
                   { "counts", NULL, "count people: overlaps, ways that nobody takes" },
                   { "links", NULL, "ask each link whether it answers" } },
      .words_least = 1,
      .words_most = CLI_WORDS_MAX,
      .has_data = true,
      .run = cli_check },
    { .name = "test",
      .purpose = "tell the stories beside the journeys, and see whether they come true",
      .usage = "FOLDER",
      .more = "Each story of stories/*.json is told to people of its own, in an engine of its own\n"
              "with a clock of its own: weeks pass in milliseconds, and nothing is sent. What did\n"
              "not come true is told with what happened to the person instead. Ends with 1 then.\n"
              "A folder of workspace folders, such as recipes/, is told one after the other.\n"
              "docs/stories.md says what a story may say.",
      .example = "dult test shop/",
      .options = { { "verbose", NULL, "name those that came true, too" } },
      .words_least = 1,
      .words_most = 1,
      .run = cli_story },
    { .name = "recipe",
      .purpose = "journeys that are ready: list, show, copy into a workspace folder",
      .usage = "[list]\nshow NAME\ncopy NAME FOLDER",
      .more =
          "Each has its mails in English, Norwegian, Swedish and Dutch, and stories that tell\n"
          "what it does. A copy overwrites nothing: a file of the same name that says something\n"
          "else means that nothing is copied. workspace.json, topics.json and snippets/ of the\n"
          "folder stay. docs/recipes.md says what each is for.",
      .example = "dult recipe copy welcome shop/",
      .options = { { "from", "DIR", "the folder that holds the recipes" } },
      .words_most = 3,
      .run = cli_recipe },
    { .name = "rehearse",
      .purpose = "run a draft journey over what people really did; nothing is sent",
      .usage = "[--data DIR] [--from TIME] [--to TIME] [--journey NAMES] FOLDER|FILE.json|JOURNEY\n"
               "--person WHO [--data DIR] FOLDER|FILE.json|JOURNEY\n"
               "--draft [--data DIR] JOURNEY\n"
               "--stop [--data DIR]",
      .more =
          "Who would have entered, which way they would have gone, what would have been sent, and\n"
          "what would have been held back by which rule: a table by node, and sample people. The\n"
          "engine of life does it with a clock of its own, so a published journey's rehearsal is\n"
          "what happened. FOLDER stands in the place of what is defined; JOURNEY is a published\n"
          "one. docs/rehearse.md says what history cannot know. Ctrl-C stops it: nothing was\n"
          "changed. One runs at a time, for half an hour at most.",
      .example = "dult rehearse --from 2026-01-01 shop/journeys/winback.json",
      .options = { { "from", "TIME", "journeys begin from then on (90 days before --to)" },
                   { "to", "TIME", "time runs until then (now)" },
                   { "journey", "NAMES", "of a folder only these; beside a file these, too" },
                   { "draft", NULL, "JOURNEY's saved draft: `dult journey draft`" },
                   { "person", "WHO", "one person's way: a userId, anonymous:ID or p12" },
                   { "sample", "N", "people to be named of each journey (5)" },
                   { "threads", "N", "at most so many of the server's report threads" },
                   { "stop", NULL, "stop the one that is under way" } },
      .words_least = 0,
      .words_most = 1,
      .has_data = true,
      .run = cli_rehearse },
    { .name = "preview",
      .purpose = "show a message as one person would get it; nothing is sent",
      .usage = "[--data DIR] --person WHO [--event NAME|JSON] [--journey NAME] [--html] "
               "TEMPLATE|FILE.email",
      .more =
          "The event is the person's last one of that name, or the one that is given; unless said\n"
          "that which triggers the journey that sends the template. A file is shown as it stands\n"
          "there, applied or not. Ends with 1 when the message would be held back.",
      .example = "dult preview --person ada welcome",
      .options = { { "person", "WHO", "a userId, anonymous:ID or p12" },
                   { "event", "NAME|JSON", "\"Order Completed\", or {\"properties\":{...}}" },
                   { "journey", "NAME", "that it is sent by" },
                   { "html", NULL, "the HTML alone" } },
      .words_least = 1,
      .words_most = 1,
      .has_data = true,
      .run = cli_preview },
    { .name = "domains",
      .purpose = "what the DNS says of the domains mail comes from, and what to publish",
      .usage = "[--data DIR] [DOMAIN...]",
      .more = "SPF, DKIM and DMARC of each sender's domain, and whether what comes back finds a\n"
              "host. What is missing or wrong is told with the exact record. Ends with 1 when\n"
              "anything is; what nobody answered in six seconds is unknown.",
      .example = "dult domains",
      .words_least = 0,
      .words_most = CLI_WORDS_MAX,
      .has_data = true,
      .run = cli_domains },
    { .name = "show",
      .purpose = "show a person and what happened",
      .usage = "[--data DIR] PERSON",
      .more = "PERSON is a userId, anonymous:ID or p12.",
      .example = "dult show ada",
      .options = { { "limit", "N", "how much of the timeline (20)" } },
      .words_least = 1,
      .words_most = 1,
      .has_data = true,
      .run = cli_show },
    { .name = "export",
      .purpose = "all that is kept about a person, as JSON",
      .usage = "[--data DIR] [--out FILE] PERSON",
      .more = "Identities, traits, events, consent with its proofs, messages and what came of "
              "them, as\n"
              "of one instant, in one document that says what its parts are. PERSON is a userId,\n"
              "anonymous:ID or p12.",
      .example = "dult export ada --out ada.json",
      .options = { { "out", "FILE", "where to; the file is new (standard output)" } },
      .words_least = 1,
      .words_most = 1,
      .has_data = true,
      .run = cli_export },
    { .name = "erase",
      .purpose = "erase a person, for good",
      .usage = "[--data DIR] [--yes] PERSON",
      .more =
          "Says how much there is of the person, asks, and waits until nothing of it is in any\n"
          "file of the data folder. All profiles that were merged into the person go. Who\n"
          "comes back afterwards is new. PERSON is a userId, anonymous:ID or p12.",
      .example = "dult erase ada",
      .options = { { "yes", NULL, "do not ask" } },
      .words_least = 1,
      .words_most = 1,
      .has_data = true,
      .run = cli_erase },
    { .name = "segment",
      .purpose = "count or list the people a condition holds for",
      .usage = "count [--data DIR] [--at TIME] [--compare NAME] 'CONDITION'|NAME\n"
               "list [--data DIR] [--at TIME] ['CONDITION'|NAME]\n"
               "convert [--to text|json] [--computed] 'CONDITION'|-\n"
               "schema",
      .more =
          "The number stands alone on the first line. --at asks as of any moment; --compare tells\n"
          "who would enter and leave a segment if this were its condition. `list` without a name\n"
          "lists the segments. `convert` writes a condition in its other form, text or JSON,\n"
          "or says what is wrong with it; `-` reads it from standard input. `schema` prints the\n"
          "JSON Schema of the JSON form. Neither asks a server.",
      .example = "dult segment count --at 1997-06-30T00:00:00Z 'never did \"Order Completed\"'",
      .options = { { "at", "TIME", "as of this moment, 2026-01-31T12:00:00Z" },
                   { "compare", "NAME", "who would enter and leave this segment" },
                   { "segment", "NAME", "a segment, whatever its name looks like" },
                   { "to", "FORM", "convert to text or json; the other form unless given" },
                   { "computed", NULL, "convert a computed trait: an aggregate, no condition" } },
      .words_least = 1,
      .words_most = 2,
      .has_data = true,
      .run = cli_segment },
    { .name = "trait",
      .purpose = "list the computed traits, or show one",
      .usage = "list [--data DIR]\n"
               "show [--data DIR] NAME",
      .more = "A computed trait is an aggregate with a name: traits/NAME.txt in a folder.",
      .example = "dult trait show total_spent",
      .words_least = 1,
      .words_most = 2,
      .has_data = true,
      .run = cli_trait },
    { .name = "stage",
      .purpose = "the stage of one person: shown, set by hand, cleared",
      .usage = "show [--data DIR] PERSON\n"
               "set [--data DIR] [--until TIME] [--why TEXT] PERSON STAGE\n"
               "clear [--data DIR] [--why TEXT] PERSON",
      .more = "What was set by hand stands until it is cleared, or until TIME; where the stages\n"
              "say \"by_hand\": \"at least\", the rules may put the person further. Who set it,\n"
              "when and why is kept with the person.",
      .example = "dult stage set ada customer --why 'signed on paper'",
      .options = { { "until", "TIME", "the rules say it again from then on" },
                   { "why", "TEXT", "kept as the reason" } },
      .words_least = 2,
      .words_most = 3,
      .has_data = true,
      .run = cli_stage },
    { .name = "stages",
      .purpose = "the stages of the customer journey, and how many are in each",
      .usage = "show [--data DIR]\n"
               "count [--data DIR] FILE\n"
               "set [--data DIR] FILE",
      .more =
          "`count` tells how many would be in each stage of a file, beside how many are in the\n"
          "stage of that name now, and changes nothing. `set` tells the same and puts the file\n"
          "in force: at once for everyone, and setting off nothing.",
      .example = "dult stages count shop/stages.json",
      .words_least = 1,
      .words_most = 2,
      .has_data = true,
      .run = cli_stages },
    { .name = "map",
      .purpose = "the customer journey: stages, touchpoints, segments and journeys",
      .usage = "[--data DIR] [--days N] [--at TIME]",
      .more = "Each stage from the first to the last: how many people are in it; its touchpoints,\n"
              "how often and when last each was seen, and which never sent an event; of which\n"
              "segments people stand there, and who of them is inside which journey. Then the\n"
              "journeys of each segment: begun by it, for it, left by it. A touchpoint is a file,\n"
              "touchpoints/NAME.json (docs/map.md).",
      .example = "dult map --days 90",
      .options = { { "days", "N", "how many days are recent, 30 unless said" },
                   { "at", "TIME", "as people stood then; by what is defined now" } },
      .words_least = 0,
      .words_most = 0,
      .has_data = true,
      .run = cli_map },
    { .name = "retention",
      .purpose = "show or set how long events are kept",
      .usage = "[show] [--data DIR]\n"
               "set [--data DIR] [--dry-run] [--yes] LENGTH|FILE|-",
      .more =
          "LENGTH is for all events: \"2 years\", \"90 days\", \"for ever\". FILE has lengths by\n"
          "event, {\"events\": \"2 years\", \"by_event\": {\"Page Viewed\": \"90 days\"}}; `-` "
          "reads\n"
          "it from standard input. What goes, and who enters and leaves segments by it, is told\n"
          "first, and asked; it starts no journey. Older events are as if they had never\n"
          "happened, and cannot be brought back. Traits, consent, lists and what was sent stay.",
      .example = "dult retention set --dry-run '2 years'",
      .options = { { "dry-run", NULL, "say what would go, and change nothing" },
                   { "yes", NULL, "do not ask" } },
      .words_least = 0,
      .words_most = 2,
      .has_data = true,
      .run = cli_retention },
    { .name = "report",
      .purpose = "how often, how far, who comes back, what mails led to, by stage",
      .usage = "trend [--data DIR] [options] EVENT\n"
               "funnel [--data DIR] [options] EVENT EVENT ...\n"
               "retention [--data DIR] [options] EVENT [BACK]\n"
               "spread [--data DIR] [options] EVENT THEN\n"
               "growth [--data DIR] --segment NAME | --list NAME | --condition TEXT\n"
               "attribution [--data DIR] [--by message|node|variant|journey|broadcast]\n"
               "            [--model last|first|linear] [--currency CODE] [options] [EVENT]\n"
               "stages [--data DIR] [options]",
      .more =
          "EVENT is a name, or as `did` has it: 'Order Completed where revenue > 100',\n"
          "'opened message \"hello\"', anything. Every number can be opened: --people step=2\n"
          "(or step=2,dropped; period=2026-01-05; period=2026-01-05,later=1; bucket=3; never;\n"
          "point=2,who=left; stage=customer,who=came; each with value=X or group=other) prints\n"
          "who it is, one a line, and --join NAME puts them on a list.",
      .example = "dult report funnel --within '7 days' 'Signed Up' 'Order Completed'",
      .options = { { "where", "TEXT", "only events whose properties are so" },
                   { "segment", "NAME", "only people in this segment" },
                   { "condition", "TEXT", "only people for whom this holds" },
                   { "list", "NAME", "growth: the list" },
                   { "by", "NAME", "break down by a property, or by trait:NAME" },
                   { "groups", "N", "how many values are told apart (10)" },
                   { "sum", "NAME", "trend: add up this property" },
                   { "within", "TIME", "funnel: from the first step to the last (7 days)" },
                   { "any", NULL, "retention: begun in every period with the event" },
                   { "all", NULL, "spread: from every such event, not the first alone" },
                   { "interval", "UNIT", "day, week (unless said) or month" },
                   { "from", "TIME", "2026-01-31 or 2026-01-31T12:00:00Z" },
                   { "to", "TIME", "the end; a day counts whole" },
                   { "at", "TIME", "as of this moment" },
                   { "people", "PICK", "the people behind one number; value=\"Oslo, Norway\"" },
                   { "join", "LIST", "with --people: they join this list" },
                   { "model", "NAME", "attribution: last (unless said), first or linear" },
                   { "currency", "CODE", "attribution: in which sums are told" },
                   { "broadcast", "NAME", "attribution: only of this one's messages" },
                   { "csv", NULL, "rows for a spreadsheet" } },
      .words_least = 1,
      .words_most = 13,
      .has_data = true,
      .run = cli_report },
    { .name = "explain",
      .purpose = "say why a person is in a segment or got a message, or not",
      .usage = "[--data DIR] [--at TIME] PERSON SEGMENT|JOURNEY\n"
               "[--data DIR] [--at TIME] PERSON segment|journey|message|condition|score NAME",
      .more =
          "A name alone is a segment, or else a journey. A tree: at every condition whether it\n"
          "holds, on which evidence, since when and until when. Ends with 1 when the whole does\n"
          "not hold.",
      .example = "dult explain ada journey welcome",
      .options = { { "at", "TIME", "as of this moment" } },
      .words_least = 2,
      .words_most = 3,
      .has_data = true,
      .run = cli_explain },
    { .name = "key",
      .purpose = "make, list and revoke the keys that open Dult to programs",
      .usage = "create [--data DIR] --kind write|api --name NAME [--scopes WORDS]\n"
               "list [--data DIR]\n"
               "revoke [--data DIR] ID",
      .more = "A write key sends events; an api key asks and changes, by its scopes (read, write,\n"
              "or one such as profiles:read; more than one with commas). A key is shown once.",
      .example = "dult key create --kind write --name site",
      .options = { { "kind", "KIND", "write (unless said), api or owner" },
                   { "name", "NAME", "who will use it" },
                   { "scopes", "WORDS", "what an api key may do (read)" } },
      .words_least = 1,
      .words_most = 2,
      .has_data = true,
      .run = cli_key },
    { .name = "owner",
      .purpose = "make an owner's key, which may do everything",
      .usage = "create [--data DIR] [--name NAME]",
      .more = "Whoever may open the data folder may do this; the one-time token that `dult serve`\n"
              "prints at its first start does the same from afar.",
      .example = "dult owner create --name ada",
      .options = { { "name", "NAME", "whose it is" } },
      .words_least = 1,
      .words_most = 1,
      .has_data = true,
      .run = cli_owner },
    { .name = "doctor",
      .purpose = "say why nothing arrives or leaves",
      .usage = "[--data DIR] [settings]",
      .more =
          "Looks at the folder, the clock, the port, keys, the public address, the mail server\n"
          "(connects and signs in, sends nothing), what was refused and what failed last. Ends\n"
          "with 1 when something is wrong.",
      .example = "dult doctor --data ./data",
      .has_data = true,
      .has_settings = true,
      .run = cli_doctor },
    { .name = "liquid",
      .purpose = "run a file of Liquid cases against our Liquid",
      .usage = "--cases FILE",
      .more = "The file is in Golden Liquid's format. Ends with 1 when a case fails.",
      .example = "dult liquid --cases golden_liquid.json",
      .options = { { "cases", "FILE", "the cases" } },
      .run = cli_liquid },
    { .name = "send",
      .purpose = "send one message, or a test of a template",
      .usage = "--template NAME --person WHO|--to ADDRESS [--key KEY] [--event FILE] [--data DIR]\n"
               "--test --template NAME --person WHO --to ADDRESS [--event FILE] [--data DIR]",
      .more =
          "A test is written with the person's data, has [Test] in its subject and goes to the\n"
          "address alone; nothing of it is on anybody's timeline. Needs `dult serve` running.",
      .example = "dult send --test --template receipt --person ada --to me@shop.example",
      .options = { { "template", "NAME", "of the template" },
                   { "person", "WHO", "a userId, anonymous:ID, type:ID or p12" },
                   { "to", "ADDRESS", "where it goes, else to the person's own" },
                   { "event", "FILE", "JSON, what the template sees as `event`" },
                   { "key", "KEY", "sent once for each key" },
                   { "test", NULL, "only a test" } },
      .has_data = true,
      .run = cli_send },
    { .name = "live",
      .purpose = "show whether mail goes to people, and switch it on or off",
      .usage = "[--yes] [--data DIR]\noff [--data DIR]",
      .more =
          "A new folder is on trial: mail goes to the addresses of trial_allow, the rest into\n"
          "DIR/outbox. A copy of a folder that is live sends nothing. Without --yes it shows how\n"
          "many messages and people it is about, and ends with 1 unless it is live.",
      .example = "dult live --yes",
      .options = { { "yes", NULL, "go live" } },
      .words_most = 1,
      .has_data = true,
      .run = cli_live },
    { .name = "codes",
      .purpose = "discount codes: how many are left; add, find, export, withdraw",
      .usage = "[list] [--data DIR]\n"
               "show|withdraw [--data DIR] POOL\n"
               "import [--data DIR] POOL FILE\n"
               "export [--data DIR] [--state STATE] POOL\n"
               "find [--data DIR] CODE",
      .more =
          "A pool is defined by a file: codes/POOL.json in a folder. FILE has a code a line, or\n"
          "first in each line of a CSV; a code that is there already counts once. export writes\n"
          "CSV, for the shop to take in; withdraw gives what is left to nobody.",
      .example = "dult codes import spring codes.csv",
      .options = { { "state", "STATE", "only left, withdrawn, given, expired or redeemed" } },
      .words_most = 3,
      .has_data = true,
      .run = cli_codes },
    { .name = "broadcast",
      .purpose = "one message to many: launch, pause, resume, cancel, retry-failed",
      .usage = "[list] [--data DIR]\n"
               "show|numbers|pause|resume|cancel|retry-failed [--data DIR] NAME\n"
               "launch [--data DIR] [--yes] NAME\n"
               "choose [--data DIR] NAME VARIANT\n"
               "people [--data DIR] [--state STATE] NAME",
      .more =
          "A broadcast is defined by a file: broadcasts/NAME.json in a folder. launch first shows\n"
          "how many people would get it, how many would be held back and why, and asks. What was\n"
          "launched is not changed any more, and nobody gets it twice: retry-failed sends it "
          "again\n"
          "to those alone for whom it failed. numbers tells what became of its messages, in all\n"
          "and by variant; a rate stands with the interval that holds it with 95%.",
      .example = "dult broadcast launch spring",
      .options = { { "yes", NULL, "do not ask" },
                   { "state", "STATE",
                     "only sent, failed, held_back ..., as `show` counts them" } },
      .words_most = 3,
      .has_data = true,
      .run = cli_broadcast },
    { .name = "experiment",
      .purpose = "what experiments were to show, what came out, and what was learnt",
      .usage = "[list] [--data DIR] [--search WORDS]\n"
               "show [--data DIR] NAME\n"
               "lesson [--data DIR] NAME TEXT",
      .more =
          "NAME is the experiment's, or JOURNEY/NODE, or the broadcast's. What is expected stands\n"
          "in the definition as \"hypothesis\"; a lesson is kept with the numbers of that moment.\n"
          "An empty TEXT takes it away.",
      .example = "dult experiment list --search subject",
      .options = { { "search", "WORDS", "all of them, in name, hypothesis, lesson or variants" } },
      .words_most = 3,
      .has_data = true,
      .run = cli_experiment },
    { .name = "journey",
      .purpose = "the numbers and versions of a journey, and letting somebody in or out",
      .usage = "numbers|history [--data DIR] NAME\n"
               "diff [--data DIR] NAME FROM TO\n"
               "rollback [--data DIR] [--inside finish|move|backfill] [--yes] NAME NUMBER\n"
               "enroll [--data DIR] [--property NAME=VALUE] NAME PERSON\n"
               "leave [--data DIR] NAME PERSON\n"
               "pause|resume|stop [--data DIR] [--yes] NAME\n"
               "choose [--data DIR] NAME NODE VARIANT\n"
               "choose [--data DIR] --none NAME NODE\n"
               "draft list [--data DIR]\n"
               "draft put [--data DIR] NAME FILE\n"
               "draft show|diff|delete [--data DIR] NAME\n"
               "draft publish [--data DIR] [--inside finish|move|backfill] [--yes] NAME",
      .more =
          "Opens and clicks are by people, once a message. A rate stands with the interval that\n"
          "holds it with 95%; a variant with how likely it is the best; the lift compares those\n"
          "let in with those held out, each person by their first time.\n"
          "history lists the versions from 1, and how many are inside each; rollback publishes an\n"
          "old one again as a new one. enroll lets a person in whatever begins the journey, by\n"
          "reentry, holdout and key as always (exit code 1: turned away); leave takes them out.\n"
          "A paused journey lets nobody in and moves nobody until it is resumed; a stopped one is\n"
          "left by everybody. choose: whoever comes to the experiment at NODE from now on takes\n"
          "VARIANT, who has one keeps it; --none takes that back. A draft is kept beside what is\n"
          "published and has no effect; diff compares the two.",
      .example = "dult journey numbers welcome",
      .options = { { "inside", "finish|move|backfill", "what those inside do" },
                   { "property", "NAME=VALUE", "of the event that stands for it; once for each" },
                   { "none", NULL, "no variant: people are dealt again" },
                   { "yes", NULL, "do not ask" } },
      .words_least = 2,
      .words_most = 4,
      .has_data = true,
      .run = cli_journey },
    { .name = "files",
      .purpose = "keep the files that mails hand out: list, put, show, delete",
      .usage = "[list] [--data DIR]\n"
               "put [--data DIR] [--filename NAME] [--type TYPE] [--days N] [--downloads N] "
               "NAME FILE\n"
               "show|delete [--data DIR] NAME",
      .more =
          "A template links to it as {{ files.NAME.link }}. Put again, the links of mails that\n"
          "were sent lead to the new one. A file has at most 50 MB, all of them 4 GB. delete\n"
          "takes every version, and their links lead to a page that says so.",
      .example = "dult files put guide ./Guide.pdf --days 30",
      .options = { { "filename", "NAME", "what it is called where it is saved; as FILE is called" },
                   { "type", "TYPE", "application/pdf and the like; by the name's ending" },
                   { "days", "N", "how long a mail's links lead to it; 30" },
                   { "downloads", "N", "how often one mail's link hands it out; 0, no bound" } },
      .words_most = 3,
      .has_data = true,
      .run = cli_files },
    { .name = "suppress",
      .purpose = "list, add and lift addresses that nothing is sent to",
      .usage = "[list] [--data DIR] [--reason REASON] [--limit N]\n"
               "show|add|lift [--data DIR] [--why TEXT] ADDRESS...",
      .more = "Addresses come on the list by themselves: hard (there is no such mailbox), soft (5\n"
              "messages in a row came back, over a week), complaint. What is added by hand is\n"
              "manual. After lift, what bounced before is forgiven.",
      .example = "dult suppress add --why 'asked by phone' ada@shop.example",
      .options = { { "reason", "REASON", "only hard, soft, complaint or manual" },
                   { "why", "TEXT", "kept with the record" },
                   { "limit", "N", "at most so many lines; 100" } },
      .words_most = CLI_WORDS_MAX,
      .has_data = true,
      .run = cli_suppress },
    { .name = "sending",
      .purpose = "is sending on or stopped; stop and resume it; settle what is in doubt",
      .usage = "[show] [--data DIR]\nstop|resume [--data DIR] [--why TEXT]\n"
               "resume DOMAIN [--data DIR]\n"
               "unknown [--data DIR] [--json]\nsettle ID sent|failed [--data DIR] [--why TEXT]",
      .more =
          "Sending stops by itself when more than 5% of the last day's e-mails bounced for good\n"
          "(at least 20), or more than 0.3% were complained of (at least 5). Receipts go on.\n"
          "What waits goes when it is resumed, and the count begins anew. Where several domains\n"
          "send, only the one it comes from stops. A message is unknown when its answer was\n"
          "lost; it is not sent again. What comes back settles it, or you do.",
      .example = "dult sending resume --why 'the bought list is gone'",
      .options = { { "why", "TEXT", "kept with the change" } },
      .words_most = 3,
      .has_data = true,
      .run = cli_sending },
    { .name = "bounce",
      .purpose = "say who could not be reached, or complained, out of returned mail",
      .usage = "[--json] FILE...\n[--json] < MAIL\n--tell [--data DIR] [FILE...]",
      .more = "Reads delivery reports (RFC 3464), complaints (RFC 5965) and what mail servers "
              "write in\n"
              "prose. The class is hard (the address is no good), soft (it may work later), "
              "complaint, or\n"
              "none. Nothing is changed, unless --tell gives it to the running program: what is\n"
              "said of a mail of ours is then on the person's timeline, and may suppress the\n"
              "address. In a mail server's aliases: dult-bounces: \"|dult bounce --tell\".",
      .example = "dult bounce --json Maildir/new/*",
      .options = { { "tell", NULL, "give it to the running program" } },
      .has_data = true,
      .words_most = CLI_WORDS_MAX,
      .run = cli_bounce },
    { .name = "sms",
      .purpose = "say how many parts a text message is, and which number is dialled",
      .usage = "[--to NUMBER [--country CODE]] TEXT...\n[--to NUMBER] < TEXT\n--lines < JSON-LINES",
      .more = "A part has 160 characters of the GSM alphabet (153 where there are several), or 70\n"
              "(67) where one character is outside it. With --lines each line is\n"
              "{\"text\": ..., \"to\": ..., \"country\": ...}, and so is each answer.",
      .example = "dult sms --to '912 34 567' --country NO 'Your order is on its way'",
      .options = { { "to", "NUMBER", "as people write it" },
                   { "country", "CODE", "where it is written, such as NO" },
                   { "lines", NULL, "many, as JSON" } },
      .words_most = CLI_WORDS_MAX,
      .run = cli_sms },
    { .name = "providers",
      .purpose = "list the services that messages can go by, and what each needs",
      .usage = "[--json] [--data DIR]\n[--json] --check FILE\n--schema",
      .more =
          "Those of the data folder's `providers` come before those built in. With --check a\n"
          "description is read, its examples are judged by its rules, and what is wrong is told;\n"
          "--schema writes the JSON Schema of descriptions. docs/providers.md says how they are\n"
          "used and written.",
      .example = "dult providers",
      .options = { { "check", "FILE", "a description" },
                   { "schema", NULL, "what descriptions look like" } },
      .has_data = true,
      .run = cli_providers },
    { .name = NULL },
};

static void column(FILE *out, const char *left, int width, const char *right)
{
    if ((int)strlen(left) > width)
        fprintf(out, "  %s\n  %*s  %s\n", left, width, "", right);
    else
        fprintf(out, "  %-*s  %s\n", width, left, right);
}

static void option_help(FILE *out, const char *name, const char *sample, const char *about)
{
    char left[96], dashed[CONFIG_NAME_BYTES_MAX + 1];
    snprintf(dashed, sizeof dashed, "%s", name);
    for (char *c = dashed; *c != '\0'; c++)
        if (*c == '_')
            *c = '-';
    snprintf(left, sizeof left, "--%s%s%s", dashed, sample ? " " : "", sample ? sample : "");
    column(out, left, 30, about);
}

static void settings_help(FILE *out)
{
    char about[200];
    fprintf(out, "\nSettings\n");
    for (int id = 0; id < CONFIG_IDS; id++) {
        const struct config_key *key = &CONFIG_KEYS[id];
        snprintf(about, sizeof about, "%s%s%s%s", key->about, key->absent ? " (" : "",
                 key->absent ? key->absent : "", key->absent ? ")" : "");
        option_help(out, key->name, key->sample, about);
    }
}

void cli_help(const struct cli_command *command, FILE *out)
{
    const char *usage = command->usage;
    fprintf(out, "dult %s: %s\n\n", command->name, command->purpose);
    while (usage != NULL) {
        int length = (int)strcspn(usage, "\n");
        fprintf(out, "    dult %s %.*s\n", command->name, length, usage);
        usage = usage[length] == '\n' ? usage + length + 1 : NULL;
    }
    if (command->more != NULL)
        fprintf(out, "\n%s\n", command->more);
    fprintf(out, "\nOptions\n");
    for (int i = 0; i < CLI_OPTIONS_MAX && command->options[i].name != NULL; i++)
        option_help(out, command->options[i].name, command->options[i].sample,
                    command->options[i].about);
    if (command->has_data) {
        option_help(out, "data", "DIR", "the data folder (./data, or $DULT_DATA)");
        option_help(out, "config", "FILE", "settings from this file instead of DIR/dult.conf");
    }
    option_help(out, "json", NULL, "answer in JSON");
    if (command->has_settings)
        settings_help(out);
    fprintf(out, "\nExample\n    %s\n", command->example);
}

void cli_help_all(FILE *out)
{
    fprintf(out, "Dult follows each customer's journey and nudges them at the right moment.\n\n"
                 "    dult COMMAND [options]\n\n");
    for (const struct cli_command *command = CLI_COMMANDS; command->name != NULL; command++)
        column(out, command->name, 10, command->purpose);
    column(out, "help", 10, "this list; `dult help COMMAND` tells all about one");
    column(out, "version", 10, "which version this is");
    fprintf(out, "\nBegin with\n"
                 "    dult serve --outbox ./data/outbox\n"
                 "    dult key create --kind write --name site\n"
                 "\nExit codes\n"
                 "    0  done, or the answer is yes\n"
                 "    1  the answer is no, or something failed its check\n"
                 "    2  the command line cannot be understood\n"
                 "    3  what was handed in was refused\n"
                 "    4  what was named is not there\n"
                 "    5  another process holds it, or it is over capacity: try again\n"
                 "    6  disk or network failed\n");
}
