/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Giving a worker up, store by store: the Register raises the row's epoch and tells the PLM, the Scheduler may be
 * placing a task on that very row, the PLM scans the slots, and each of the three may die between any two stores. One
 * task, two rows; row 0 is given up, row 1 lives. What task.pml takes as one step is taken apart here. Stores are seen
 * in order: the steps between them are compare-and-swaps, which are full fences.
 *
 * Safety: an attempt is taken back only from a row that was given up. Liveness, as the absence of a stuck end: the task
 * does not stay on a row that was given up.
 *
 * Each safeguard can be taken away by a -D; then the model must fail (the Scheduler's comparison
 * alone may be missing here, because the sweep comes after it; task.pml has no sweep and shows that it is needed):
 *   TOLD_BEFORE_FENCE  the PLM is told before the epoch is raised
 *   NO_SWEEP           the PLM does not look again after a while, and a Scheduler died between taking and comparing
 *   TAKEOVER_SILENT    a new Register does not tell again what the one before it may not have told
 *
 * The other steps of the table are in task.pml.
 */

#ifndef CRASHES
#define CRASHES 2
#endif

#define Ready 2
#define Assigned 3
#define Done 7
#define STEP(role, from, to) assert(state == from); state = to

byte state = Ready;
byte holder;            /* row + 1 of the attempt */
bit fenced;             /* the epoch of row 0 was raised */
bit lost;               /* the health of row 0 says so */
byte told;              /* records in the finished ring */
bit deciding;           /* the Register has decided to give row 0 up */
byte crashes;
bit sweepDue;           /* the PLM looks once more, a while after it heard of a loss */
bit heard;              /* the PLM has read the record and not scanned yet */

/* The Scheduler's own memory. */
bit believes = 1;       /* that row 0 is as it was */
bit taken;              /* it took the task for row 0 and has not compared yet */
bit sent;               /* the task is with row 0's worker, if that lives */

#define STUCK (state == Assigned && holder == 1 && fenced)

inline Scan() {
    if
    :: state == Assigned && holder == 1 ->
        assert(fenced);
        holder = 0;
        STEP(Plm, Assigned, Ready)
    :: else
    fi
}

proctype Register() {
endIdle:
    do
    :: atomic { !deciding && !fenced && !lost -> deciding = 1 }
#ifdef TOLD_BEFORE_FENCE
    :: atomic { deciding && !fenced && told == 0 && !heard && !lost -> told++; lost = 1 }
    :: atomic { deciding && !fenced && lost -> fenced = 1; deciding = 0 }
#else
    :: atomic { deciding && !fenced -> fenced = 1 }
    :: atomic { deciding && fenced && !lost -> lost = 1 }
    :: atomic { deciding && fenced && lost -> told++; deciding = 0 }
#endif
    /* It dies, and its successor takes over: whom it had decided about, it may have told or not. */
    :: atomic { crashes < CRASHES && deciding ->
        crashes++;
        deciding = 0;
#ifndef TAKEOVER_SILENT
        if
        :: lost -> told++
        :: fenced && !lost ->
            /* The worker comes with an epoch that is not the row's: it is given up anew. */
            lost = 1; told++
        :: else
        fi
#endif
        }
    od
}

proctype Scheduler() {
endIdle:
    do
    :: atomic { believes && lost && !taken -> believes = 0 }
    :: atomic { state == Ready && !taken && believes -> holder = 1; taken = 1; STEP(Scheduler, Ready, Assigned) }
    :: atomic { state == Ready && !taken -> holder = 2; STEP(Scheduler, Ready, Assigned) }
    :: atomic { taken ->
        taken = 0;
        if
        :: fenced ->
            believes = 0;
            if
            :: state == Assigned && holder == 1 -> holder = 0; STEP(Scheduler, Assigned, Ready)
            :: else
            fi
        :: else -> sent = 1
        fi }
    /* It dies before it compares; its successor reads the rows. */
    :: atomic { crashes < CRASHES && taken -> crashes++; taken = 0; believes = !lost }
    od
}

proctype Plm() {
endIdle:
    do
    :: atomic { told > 0 && !heard -> told--; heard = 1 }
    :: atomic { heard -> heard = 0; sweepDue = 1; Scan() }
#ifndef NO_SWEEP
    /*
     * The sweeps go on long enough: the last one comes after the Scheduler has looked at its rows, or died. One that
     * stands still for longer than that, goes on, and dies within the nanoseconds between two stores, would leave a
     * task behind; the next start of the PLM finds it.
     */
    :: atomic { sweepDue && !taken && !deciding && (!believes || !lost) ->
        sweepDue = 0;
        if
        :: lost -> Scan()
        :: else
        fi }
#endif
    /* It dies; its successor looks at every row. */
    :: atomic { crashes < CRASHES && (heard || sweepDue) ->
        crashes++;
        heard = 0;
        sweepDue = 1;
        if
        :: lost -> Scan()
        :: else
        fi }
    od
}

/* The worker of row 1 ends the task; row 0's may too, while it is not given up. */
proctype Workers() {
    do
    :: atomic { state == Assigned && holder == 2 -> state = Done }
    :: atomic { state == Assigned && holder == 1 && sent && !fenced -> state = Done }
    :: state == Done -> break
    od
}

init {
    atomic { run Register(); run Scheduler(); run Plm(); run Workers() }
}

ltl ends { <> (state == Done) }
