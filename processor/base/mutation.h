/* Deliberate faults, compiled in only to prove that the tests would notice: cmake -DTIDEMARK_MUTATION=NO_CAS.
 * In every ordinary build each condition is constantly false and vanishes. */
#ifndef TIDEMARK_BASE_MUTATION_H
#define TIDEMARK_BASE_MUTATION_H

enum mutation {
    MUTATION_NONE,
    MUTATION_NO_CAS,     /* apply without watching meta */
    MUTATION_NO_OUTBOX,  /* publish outputs without keeping them in the store first */
    MUTATION_NO_MARK,    /* commit offsets without the published mark */
    MUTATION_NO_MERGE,   /* take whichever partition has data, not the oldest */
    MUTATION_HALF_ROUND, /* publish half a round of the wheel when told to stop */
};

#ifndef TIDEMARK_MUTATION
#define TIDEMARK_MUTATION NONE
#endif
#define MUTATION_JOIN_(name) MUTATION_##name
#define MUTATION_JOIN(name) MUTATION_JOIN_(name)
#define MUTATED(name) (MUTATION_JOIN(TIDEMARK_MUTATION) == MUTATION_##name)

#endif
