/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of one task of one client on WORKERS workers, with every fault that the cell promises to survive. The table
 * that it models is ../Transitions.cs; a test compares the two. Run by eng/model (make model).
 *
 * What is one step here is one compare-and-swap, one journal record, or one message there. Each role is a process and
 * its steps are atomic, guards included. What a role keeps in its own memory is lost when it crashes, what is in the
 * arena stays, and with the power everything is lost that was not synced. A crash and the takeover after it are one
 * step, because a role that is down for a while is a process that is not scheduled for a while.
 *
 * Faults share one budget, FAULTS: losing the power, killing the PLM, killing a worker, giving up a worker that lives,
 * breaking a stream (what was in flight is lost, and the sender repeats it; or it stays away and the attempt is taken
 * back), sending a submission twice.
 *
 * Safety, as assertions:
 *   S1 a submission that was acknowledged is not lost            (LosePower)
 *   S2 a task has at most one accepted result                    (Accept)
 *   S3 the accepted result is of the latest execution given out  (Record)
 *   S4 what the client was shown never changes                   (Plm)
 *   S5 after a cancellation was answered OK no result is shown   (Accept, Plm)
 *   S6 max_attempts = 1: never started twice                     (Worker)
 *   S7 a success that its worker may forget is the end           (Take, Plm)
 *   S8 one failure of one execution is counted once              (Judge)
 * Liveness: under weak fairness the client sees the end of its task, and the slot is free again.
 *
 * Each safeguard can be taken away by a -D; then the model must fail:
 *   NO_FENCE             the Register takes a result without asking whose and of which attempt it is
 *   EPOCH_NOT_RAISED     a rebuilt arena goes on under the old epoch, so attempts repeat
 *   ACK_EARLY            a submission is acknowledged before it is synced
 *   NO_DEDUP             a submission that comes twice is taken twice
 *   DELIVER_EARLY        a result is shown before it is synced
 *   LEASE_WITHOUT_EPOCH  a worker is given up without raising its row's epoch, so the Scheduler does not notice
 *   CONFIRM_EARLY        a worker may forget a result before it is synced
 *   CANCEL_EARLY         a cancellation is answered before it is synced
 *   START_UNRECORDED     a task with max_attempts = 1 starts before the journal grants it
 *   FAILURE_UNNAMED      the journal counts failures without naming the attempt, so one may count twice
 *
 * LEFT_OUT(Plm, Accepted, Waiting): tasks that depend on others will be a model of their own
 * LEFT_OUT(Plm, Waiting, Ready): the same
 * LEFT_OUT(Plm, Waiting, Done): the same
 *
 * Also left out: a Register or Scheduler that restarts (its streams break, which the lost messages are); telling a
 * worker to stop what was cancelled (spares time, decides nothing: here it runs on and is refused); a second task in
 * the same slot (generations; tried by tests); the PLM's sweep for a Scheduler that died between taking and sending (a
 * second line behind the row's epoch, which must suffice while the Scheduler lives).
 *
 * Kept small, without losing a behaviour that matters:
 *   - workers are alike, so the first attempt goes to worker 0;
 *   - what is sent arrives at once or, for one fault, not at all: a message on its way that arrives later is the same
 *     as one that is sent later, because its sender repeats it and its receiver alone could tell;
 *   - a step of the PLM and the record of it are one: a crash between them is repaired by the successor's first look,
 *     and a power loss between them is one before the sync;
 *   - once the budget is used up, writing is syncing, because nothing can tell them apart any more.
 */

#ifndef WORKERS
#define WORKERS 2
#endif
#ifndef FAULTS
#define FAULTS 2
#endif
#ifndef ATTEMPTS
#define ATTEMPTS 2
#endif

/* TaskState */
#define Free 0
#define Accepted 1
#define Ready 2
#define Assigned 3
#define Running 4
#define Reported 5
#define Delayed 6
#define Done 7

/* How a task ended; a result is RESULT plus the number of the execution that made it. */
#define LOST 1
#define CANCELLED 2
#define RESULT 3

/* One step of Transitions.Table. The role is for the reader and for the test. */
#define STEP(role, from, to) assert(state == from); state = to

/* --- The arena: lost with the power, kept when a role crashes. --- */
byte state;                 /* of the slot's state word */
byte attempt;               /* of the slot's state word */
byte holder;                /* worker of the attempt */
bit holderOld;              /* the holder's registration was given up since */
byte result;                /* the execution whose result the Register recorded */
bit resultOk;
byte failures;              /* attempts that ended badly */
byte ending;                /* how it ended */
bit known;                  /* the session's decided ref */
byte oldUpTo;               /* attempts up to this one are of earlier epochs of the cell */
bit heldBack;               /* it came back from the journal, and whoever still has it may claim it */
bit registered[WORKERS];    /* the worker's row has the epoch that the worker was welcomed with */
bit lossTold[WORKERS];      /* a record of its loss waits in the finished ring */

/* --- The journal: written, and synced. --- */
bit wSubmitted; bit sSubmitted;
bit wGranted; bit sGranted;         /* a task that may start once may start */
byte wFailures; byte sFailures;
byte wFailed; byte sFailed;         /* the latest attempt that is counted as a failure */
byte wEnd; byte sEnd;
bit wReleased; bit sReleased;

/* --- The PLM's own memory. --- */
bit owesAck;        /* the client waits for the answer to its submission */
bit owesCancel;     /* the client waits for the answer to its cancellation */
bit delivered;      /* on the present stream */

/* --- The Scheduler's own memory. --- */
byte view[WORKERS];     /* 0 no row, 1 the current registration, 2 one that was given up since it looked */
byte sending;           /* worker + 1 of an attempt that was taken and not yet sent */
byte sendingAttempt;

/* --- Workers. --- */
bit fenced[WORKERS];            /* what it learns when it asks: it was given up */
bit crashed[WORKERS];           /* its process died and the Register has not noticed */
byte heldRun[WORKERS];          /* the execution that runs */
byte heldAttempt[WORKERS];
byte endedRun[WORKERS];         /* a result that is not confirmed */
byte endedAttempt[WORKERS];
bit endedOk[WORKERS];
bit recorded[WORKERS];          /* the Register took it and owes the confirmation */

/* --- The client. --- */
bit acked;
bit cancelTried;
bit cancelOk;
byte shown;         /* the end that it saw */

/* --- What only the model knows. --- */
byte faults;
byte runs;              /* executions given out; each gets the next number, so no two look alike */
byte latest;            /* the one given out, or attached again, last */
byte starts;
bit accepts;            /* a result was accepted */
bit forgotten;          /* a worker may forget the success that was accepted */
byte counted;           /* the execution whose failure was counted last; synced, and written */
byte countedWritten;

#define SYNCED (wSubmitted == sSubmitted && wGranted == sGranted && wFailures == sFailures && \
    wEnd == sEnd && wReleased == sReleased)
#define OWNED(w) ((state == Assigned || state == Running) && holder == w && !holderOld)
#define TAKEN(w) (result == endedRun[w] || ending == RESULT + endedRun[w] || wFailed == endedAttempt[w])
#define MISSING(w) (OWNED(w) && registered[w] && !crashed[w] && heldAttempt[w] != attempt && endedAttempt[w] != attempt)
#define FINISHED (shown != 0 && state == Free && wReleased)

#ifdef FAILURE_UNNAMED
#define FAILED_BEFORE 0
#else
#define FAILED_BEFORE wFailed
#endif

#define FAULT (faults < FAULTS && !FINISHED)

/* The arena was rebuilt, and the task was not given out since: who has an attempt of it goes on. */
#define MAY_ATTACH(old) (state == Accepted && attempt == 0 && (old) != 0 && (old) <= oldUpTo && (old) > FAILED_BEFORE)

byte c; /* counts workers within one step */

inline Sync() {
    sSubmitted = wSubmitted; sGranted = wGranted; sFailures = wFailures; sFailed = wFailed;
    sEnd = wEnd; sReleased = wReleased; counted = countedWritten;
    if
    :: sEnd != 0 ->
        /* The rest of the life does not look at these, and no fault brings them back. */
        attempt = 0; latest = 0; failures = 0; oldUpTo = 0; heldBack = 0; sending = 0; sendingAttempt = 0;
        wFailures = 0; wFailed = 0; sFailures = 0; sFailed = 0; counted = 0; countedWritten = 0;
        for (c : 0 .. WORKERS - 1) {
            heldRun[c] = 0; heldAttempt[c] = 0; recorded[c] = 0;
            endedRun[c] = 0; endedAttempt[c] = 0; endedOk[c] = 0;
            registered[c] = 1; crashed[c] = 0; fenced[c] = 0; lossTold[c] = 0; view[c] = 1
        }
        c = 0
    :: else
    fi
}

/* Ends every step that writes to the journal. */
inline Written() {
    if
    :: faults == FAULTS -> Sync()
    :: else
    fi
}

/*
 * Numbers of executions and attempts are only compared, so those that nothing names any more are taken out and the
 * later ones close up: histories that differ in nothing else become one state.
 */
#define NAMED(n) (attempt == n || sendingAttempt == n || latest == n || result == n || wFailed == n || sFailed == n || \
    counted == n || countedWritten == n || ending == RESULT + n || sEnd == RESULT + n || shown == RESULT + n || \
    heldRun[0] == n || endedRun[0] == n || heldRun[1] == n || endedRun[1] == n || \
    heldRun[WORKERS - 1] == n || endedRun[WORKERS - 1] == n)
#define CLOSE_UP(x, n) x = (x > (n) -> x - 1 : x)

inline Compact() {
#if !defined(EPOCH_NOT_RAISED) && !defined(NO_DEDUP)
    n = 1;
    do
    :: n > runs -> break
    :: n <= runs && NAMED(n) -> n++
    :: else ->
        CLOSE_UP(attempt, n); CLOSE_UP(sendingAttempt, n); CLOSE_UP(latest, n); CLOSE_UP(result, n);
        CLOSE_UP(wFailed, n); CLOSE_UP(sFailed, n); CLOSE_UP(counted, n); CLOSE_UP(countedWritten, n);
        CLOSE_UP(ending, n + RESULT); CLOSE_UP(wEnd, n + RESULT); CLOSE_UP(sEnd, n + RESULT);
        CLOSE_UP(shown, n + RESULT); CLOSE_UP(oldUpTo, n - 1);
        for (k : 0 .. WORKERS - 1) {
            CLOSE_UP(heldRun[k], n); CLOSE_UP(heldAttempt[k], n);
            CLOSE_UP(endedRun[k], n); CLOSE_UP(endedAttempt[k], n)
        }
        k = 0;
        runs--
    od;
    n = 0
#else
    skip
#endif
}

inline GiveUp(w) {
    registered[w] = 0;
    lossTold[w] = 1;
    fenced[w] = 1;
    crashed[w] = 0;
    recorded[w] = 0;
    if
    :: view[w] == 1 -> view[w] = 2
    :: else
    fi;
    if
    :: (state == Assigned || state == Running) && holder == w -> holderOld = 1
    :: else
    fi
}

inline DropAll(w) {
    heldRun[w] = 0; heldAttempt[w] = 0;
    endedRun[w] = 0; endedAttempt[w] = 0; endedOk[w] = 0;
    recorded[w] = 0
}

inline Forget(w) {
    endedRun[w] = 0; endedAttempt[w] = 0; endedOk[w] = 0; recorded[w] = 0
}

/* S2, S5: a result becomes the end of the task. */
inline Accept() {
    assert(!accepts);
    assert(!cancelOk);
    accepts = 1;
    ending = RESULT + result;
    wEnd = ending;
    STEP(Plm, Reported, Done);
    Written()
}

/* S8: what the PLM does with a result that the Register recorded. */
inline Judge() {
    if
    :: resultOk || failures + 1 >= ATTEMPTS -> Accept()
    :: else ->
        assert(countedWritten != result);
        countedWritten = result;
        failures++;
        wFailures = failures;
        wFailed = attempt;
#ifdef DELAYS
        STEP(Plm, Reported, Delayed);
#else
        STEP(Plm, Reported, Ready);
#endif
        Written()
    fi;
    result = 0; resultOk = 0
}

inline EndBy(why) {
    ending = why;
    if
    :: state == Accepted -> STEP(Plm, Accepted, Done)
    :: state == Ready -> STEP(Plm, Ready, Done)
    :: state == Assigned -> STEP(Plm, Assigned, Done)
    :: state == Running -> STEP(Plm, Running, Done)
    :: state == Delayed -> STEP(Plm, Delayed, Done)
    :: else -> assert(false)
    fi;
    holder = 0; holderOld = 0;
    wEnd = ending;
    Written()
}

/* The attempt of a worker that was given up. */
inline TakeBack(w) {
    lossTold[w] = 0;
    if
    :: (state == Assigned || state == Running) && holder == w && holderOld ->
#if ATTEMPTS == 1
        EndBy(LOST)
#else
        holderOld = 0; holder = 0;
        if
        :: state == Assigned -> STEP(Plm, Assigned, Ready)
        :: state == Running -> STEP(Plm, Running, Ready)
        fi
#endif
    :: else
    fi
}

/* A submission: new, or known already. */
inline Submit() {
    if
    :: !known ->
        known = 1;
        wSubmitted = 1;
        STEP(Plm, Free, Accepted);
        Written()
#ifdef NO_DEDUP
    :: known && state != Free -> state = Accepted; attempt = 0; failures = 0; ending = 0; wEnd = 0; sEnd = 0
    :: known && state == Free
#else
    :: known
#endif
    fi;
    owesAck = !acked
}

proctype Plm() {
    do
    :: atomic { !acked && !owesAck -> Submit() }

#ifdef ACK_EARLY
    :: atomic { owesAck -> owesAck = 0; acked = 1 }
#else
    :: atomic { owesAck && sSubmitted -> owesAck = 0; acked = 1 }
#endif

#if ATTEMPTS == 1 && !defined(START_UNRECORDED)
    /* What may start once only is granted its start by the journal. */
    :: atomic { state == Accepted && !heldBack && sSubmitted && !wGranted -> wGranted = 1; Written() }
    :: atomic { state == Accepted && !heldBack && sGranted -> STEP(Plm, Accepted, Ready) }
#else
    /* Scheduling does not wait for the disk: what is not acknowledged yet may run already. */
    :: atomic { state == Accepted && !heldBack -> STEP(Plm, Accepted, Ready) }
#endif
    /* Nobody claimed it for a lease. If it may start once only, it may have: nobody can say. */
    :: atomic { state == Accepted && heldBack ->
        heldBack = 0;
        if
        :: ATTEMPTS == 1 && sGranted -> assert(!forgotten); EndBy(LOST)
        :: else
        fi }

    :: atomic { state == Reported -> Judge() }
#ifdef DELAYS
    :: atomic { state == Delayed -> STEP(Plm, Delayed, Ready) }
#endif

    /* Workers that were given up: one scan of the slots. */
    :: atomic { lossTold[0] -> TakeBack(0) }
    :: atomic { lossTold[1] -> TakeBack(1) }
#if WORKERS > 2
    :: atomic { lossTold[2] -> TakeBack(2) }
#endif

#ifdef CANCELS
    :: atomic { acked && !cancelTried && shown == 0 ->
        cancelTried = 1;
        if
        :: state == Reported -> Judge()
        :: else
        fi;
        if
        :: state != Done && state != Free -> EndBy(CANCELLED); owesCancel = 1
        :: else
        fi }
#ifdef CANCEL_EARLY
    :: atomic { owesCancel -> owesCancel = 0; cancelOk = 1 }
#else
    :: atomic { owesCancel && sEnd == CANCELLED -> owesCancel = 0; cancelOk = 1 }
#endif
#endif

    /* S4, S5: the client sees the end. */
#ifdef DELIVER_EARLY
    :: atomic { state == Done && acked && !delivered ->
#else
    :: atomic { state == Done && acked && !delivered && sEnd == ending ->
#endif
        delivered = 1;
        assert(shown == 0 || shown == ending);
        assert(!cancelOk || ending == CANCELLED);
        shown = ending }

    /* Confirmed. */
    :: atomic { state == Done && delivered ->
        wReleased = 1;
        STEP(Plm, Done, Free);
        Written() }

    :: FINISHED -> break
    od
}

/* The journal's thread: one sync serves everything that was written. */
proctype Disk() {
    do
    :: atomic { !SYNCED -> Sync() }
    :: FINISHED && SYNCED -> break
    od
}

/* S6, S7: placed under the next attempt. */
inline Take(w) {
    assert(!forgotten);
    attempt = (attempt > oldUpTo -> attempt : oldUpTo) + 1;
    runs++;
    latest = runs;
    holder = w;
    STEP(Scheduler, Ready, Assigned)
}

/* One execution more, or, for one fault, one that is sent and does not arrive. */
inline Send(w) {
#if ATTEMPTS == 1
    starts++;
    assert(starts <= 1);
#endif
    if
    :: true -> heldRun[w] = latest; heldAttempt[w] = attempt
    :: FAULT -> faults++; Written()
    fi
}

#define HAS_ROOM(w) (state == Ready && sending == 0 && heldRun[w] == 0 && (w == 0 || runs > 0))

/* Places the task by what the Scheduler knows of the worker's row. */
inline Place(w) {
    Take(w);
    if
    :: view[w] == 1 ->
        if
        :: crashed[w]
        :: else -> Send(w)
        fi
    :: else -> holderOld = 1; sending = w + 1; sendingAttempt = attempt
    fi;
    Compact()
}

proctype Scheduler() {
    byte w; byte n; byte k;
endIdle:
    do
    /* Looks at the row of a worker that was given up, when it gets there. */
    :: atomic { sending == 0 && view[0] == 2 -> view[0] = registered[0] }
    :: atomic { sending == 0 && view[1] == 2 -> view[1] = registered[1] }
#if WORKERS > 2
    :: atomic { sending == 0 && view[2] == 2 -> view[2] = registered[2] }
#endif

    :: atomic { HAS_ROOM(0) && view[0] != 0 -> Place(0) }
    :: atomic { HAS_ROOM(1) && view[1] != 0 -> Place(1) }
#if WORKERS > 2
    :: atomic { HAS_ROOM(2) && view[2] != 0 -> Place(2) }
#endif

    /* Taken for a row that was given up: its epoch is compared after the step and before anything is sent. */
    :: atomic { sending != 0 ->
        w = sending - 1;
#ifndef LEASE_WITHOUT_EPOCH
        view[w] = registered[w];
        if
        :: state == Assigned && attempt == sendingAttempt ->
            holder = 0; holderOld = 0;
            STEP(Scheduler, Assigned, Ready)
        :: else
        fi;
#endif
        sending = 0; sendingAttempt = 0; w = 0 }

    /* The worker opened its stream again and does not have what is its own: the same attempt once more. */
    :: atomic { MISSING(0) && heldRun[0] == 0 -> heldRun[0] = latest; heldAttempt[0] = attempt }
    :: atomic { MISSING(1) && heldRun[1] == 0 -> heldRun[1] = latest; heldAttempt[1] = attempt }
#if WORKERS > 2
    :: atomic { MISSING(2) && heldRun[2] == 0 -> heldRun[2] = latest; heldAttempt[2] = attempt }
#endif
    od
}

/* S3: the Register records a result. */
inline Record(w) {
    assert(endedRun[w] == latest);
    result = endedRun[w]; resultOk = endedOk[w];
    holder = 0; holderOld = 0;
    recorded[w] = 1;
    if
    :: state == Assigned -> STEP(Register, Assigned, Reported)
    :: state == Running -> STEP(Register, Running, Reported)
    fi
}

/* After the power was lost a worker says what it still has. */
inline Attach(w, itsRun, itsAttempt) {
    attempt = itsAttempt;
    latest = itsRun;
    holder = w; holderOld = 0;
    heldBack = 0;
    STEP(Register, Accepted, Assigned)
}

/* The Register's half of one worker's stream. */
proctype Register(byte w) {
endIdle:
    do
    :: atomic { crashed[w] && registered[w] -> GiveUp(w) }

#ifdef NO_FENCE
    :: atomic { endedRun[w] != 0 && !recorded[w] && (state == Assigned || state == Running) -> Record(w) }
#endif
    :: atomic { endedRun[w] != 0 && !recorded[w] && registered[w] ->
        if
        :: OWNED(w) && attempt == endedAttempt[w] -> Record(w)
        :: else ->
            if
            /* It came twice. */
            :: TAKEN(w) -> recorded[w] = 1
            /* Superseded: counted, told, and forgotten by the worker. */
            :: else -> Forget(w)
            fi
        fi }

    /* S7: the worker may forget a result that was recorded. */
#ifdef CONFIRM_EARLY
    :: atomic { recorded[w] && registered[w] ->
#else
    :: atomic { recorded[w] && registered[w] && state != Reported && wEnd == ending && SYNCED ->
#endif
        forgotten = forgotten || (endedOk[w] && (result == endedRun[w] || ending == RESULT + endedRun[w]));
        Forget(w) }

    /* A beat names what runs. */
#ifdef BEATS
    :: atomic { heldRun[w] != 0 && registered[w] && OWNED(w) && attempt == heldAttempt[w] && state == Assigned ->
        STEP(Register, Assigned, Running) }
#endif
    od
}

proctype Worker(byte w) {
endIdle:
    do
    /* Its stream was ended. If it was given up, it drops what it has; to a new arena it says what it has. */
    :: atomic { !registered[w] && !crashed[w] ->
        if
        :: fenced[w] -> DropAll(w)
        :: !fenced[w] && MAY_ATTACH(endedAttempt[w]) -> Attach(w, endedRun[w], endedAttempt[w])
        :: !fenced[w] && MAY_ATTACH(heldAttempt[w]) -> Attach(w, heldRun[w], heldAttempt[w])
        :: else
        fi;
        if
        :: heldRun[w] != 0 && !(OWNED(w) && attempt == heldAttempt[w]) -> heldRun[w] = 0; heldAttempt[w] = 0
        :: else
        fi;
        fenced[w] = 0;
        registered[w] = 1;
        if
        :: view[w] == 0 -> view[w] = 1
        :: else
        fi }

    :: atomic { heldRun[w] != 0 && endedRun[w] == 0 ->
        endedRun[w] = heldRun[w]; endedAttempt[w] = heldAttempt[w];
        heldRun[w] = 0; heldAttempt[w] = 0;
        if
        :: endedOk[w] = 1
        /* The last failure ends the task as a success does. */
        :: failures + 1 < ATTEMPTS -> endedOk[w] = 0
        fi }
    od
}

/* S1: the arena is gone. The PLM reads the journal into a new one; whatever was in flight is gone too. */
inline LosePower() {
    assert(!acked || sSubmitted);
    wSubmitted = sSubmitted; wGranted = sGranted; wFailures = sFailures; wFailed = sFailed;
    wEnd = sEnd; wReleased = sReleased; countedWritten = counted;
    known = sSubmitted;
    attempt = 0; holder = 0; holderOld = 0; result = 0; resultOk = 0;
    failures = sFailures;
    ending = sEnd;
    accepts = (sEnd >= RESULT);
    heldBack = 0;
    if
    :: !sSubmitted || sReleased -> state = Free
    :: sSubmitted && !sReleased && sEnd != 0 -> state = Done
    :: sSubmitted && !sReleased && sEnd == 0 -> state = Accepted; heldBack = 1
    fi;
#ifndef EPOCH_NOT_RAISED
    oldUpTo = runs;
#endif
    owesAck = 0; owesCancel = 0; delivered = 0;
    sending = 0; sendingAttempt = 0;
    for (i : 0 .. WORKERS - 1) {
        registered[i] = 0; lossTold[i] = 0; view[i] = 0; fenced[i] = 0; crashed[i] = 0;
        recorded[i] = 0
    }
    i = 0
}

/* Once the end is safe, workers do not matter any more. */
#define WORKER_FAULT(w) (FAULT && sEnd == 0 && registered[w] && !crashed[w])

inline Strike(w) {
    faults++;
    if
    /* Its process dies. */
    :: true -> DropAll(w); crashed[w] = 1
    /* It lives and is given up. */
    :: true -> GiveUp(w)
    /* Its stream breaks before the confirmation: the result comes twice. */
    :: recorded[w] -> recorded[w] = 0
#ifdef BEATS
    /* Its Dispatch stream stays away: what it has not said to run goes to others, though it may have it. */
    :: OWNED(w) && state == Assigned && ATTEMPTS > 1 -> holder = 0; holderOld = 0; STEP(Scheduler, Assigned, Ready)
#endif
    fi;
    Written()
}

proctype Nature() {
    byte i;
endIdle:
    do
    :: atomic { FAULT && known -> faults++; LosePower(); Written() }

    /* The PLM dies and is started again, or the client's stream breaks: what was owed on it is forgotten. */
    :: atomic { FAULT && (owesAck || owesCancel || delivered) ->
        faults++; owesAck = 0; owesCancel = 0; delivered = 0; Written() }

    /* A submission comes twice. */
    :: atomic { FAULT && known -> faults++; Submit(); Written() }

    :: atomic { WORKER_FAULT(0) -> Strike(0) }
    :: atomic { WORKER_FAULT(1) -> Strike(1) }
#if WORKERS > 2
    :: atomic { WORKER_FAULT(2) -> Strike(2) }
#endif
    od
}

init {
    atomic {
        byte i;
        for (i : 0 .. WORKERS - 1) {
            registered[i] = 1; view[i] = 1
        }
        i = 0;
        run Plm(); run Disk(); run Scheduler();
        run Register(0); run Worker(0);
        run Register(1); run Worker(1);
#if WORKERS > 2
        run Register(2); run Worker(2);
#endif
        run Nature()
    }
}

ltl ends { <> (FINISHED) }
