/*
 * What a person takes: a million with three identities and ten memberships each.
 *
 *     people_bench
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "engine/profile/people.h"
#include "engine/vec.h"

enum { PEOPLE = 1000000, MEMBERSHIPS = 10 };

static double resident_bytes(void)
{
    char  line[256];
    long  kb = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "VmRSS: %ld", &kb) == 1)
            break;
    fclose(file);
    return (double)kb * 1024;
}

static void person_make(struct people *people, uint32_t number)
{
    const enum identity_kind kinds[] = { IDENTITY_USER, IDENTITY_ANONYMOUS, IDENTITY_EXTERNAL };
    const char *const        forms[] = { "user-%07u", "a4f0-9b1c-%07u", "shopify:%08u" };
    uint32_t                 profile;
    char                     text[64];
    if (people_add(people, number, &profile) != OK)
        exit(1);
    for (int i = 0; i < 3; i++) {
        snprintf(text, sizeof text, forms[i], number);
        if (people_link(people, profile, kinds[i], str_of(text)) != OK)
            exit(1);
    }
    struct state *state = people_state(people, profile);
    for (uint32_t i = 0; i < MEMBERSHIPS; i++)
        if (memberships_set(
                &state->memberships, slab_of(state),
                (struct membership){
                    .segment = i, .in = true, .entered_ms = number, .until_ms = TIME_NEVER }) != OK)
            exit(1);
}

int main(void)
{
    double         before = resident_bytes();
    struct people *people = people_open(1);
    for (uint32_t i = 0; i < PEOPLE; i++)
        person_make(people, i);
    printf("%.0f bytes a person resident, %.0f of them in blocks of malloc\n",
           (resident_bytes() - before) / PEOPLE, (double)mallinfo2().uordblks / PEOPLE);
    printf("profile %zu, state %zu, its rare part %zu\n", sizeof(struct profile),
           sizeof(struct state), sizeof(struct rare));
    people_close(people);
    return 0;
}
