/* A queueing subscription that has run out of records: the newest notification waits in `newest`, each that it replaces
   has merged, and a bit in `overflowed` makes the drain look. A ring of one slot, so one record, and the spare that carries the
   newest. While `newest` is kept, or leaving, no record is claimed. Two
   producers submit POSTS times each; either may be a signal handler, and may be left wherever it stands. A worker (of a
   lane; or the reader of a kqueue) delivers, and gives the records back when it likes.

     CANCEL       somebody cancels the subscription at any time.
     NOBODY_RUNS  (with CANCEL) and nobody runs the reactor: cancel itself has to end what waits in `newest`.

   The stack, the drain word and the wakeup are one step each here; dispatcher.pml and wakeup.pml have theirs.

   What must hold:
     out_of_order  what one producer submits is delivered in the order in which it was submitted. A submit that was left
                   in the middle never ended, so what it has raised may come at any time, or never.
     twice         a notification ends once: delivered, merged or discarded.
     late          no delivery begins after cancel has returned.
     left_behind   when the drain and the worker sleep, every notification whose submit has returned has ended: the
                   ledger adds up. Although another producer may stand in the middle of a submit.
     wedged        no state in which everybody stands still, but those marked with end. */

#ifndef POSTS
#define POSTS 3
#endif
#ifndef OTHERS_POSTS
#define OTHERS_POSTS 1
#endif
#define of(i) (1 << (i))

#define RECORD 1 /* the one of the free list */
#define SPARE 2

/* A notification is its producer and a number that grows; 0 is none. */
#define notification(p, n) (1 + 2 * (n) + (p))
#define producer_of(x) (((x) - 1) & 1)

/* The claim word: exchanged as a whole. */
unsigned claimed : 3;
bit claim_closing;
unsigned good_for : 3;     /* the slot: for which claim it is good */

/* The word of `newest`, with the notification beside it: exchanged as a whole. */
mtype = { rests, kept, leaving };
mtype state = rests;
byte newest;
bit newest_closing;

bit gate_closing;
byte data[3];              /* by record: the notification that it carries */
bit spare_out;
bit bit_is_set;            /* the subscription's in `overflowed`; ready_bitmap.pml has its steps */
bit submitted;             /* RECORD stands in the stack */
bit on_backlog;            /* it has been taken from there */
bit woken;                 /* the wakeup */
bit draining;              /* the drain word */
chan lane = [2] of { byte };

/* Books. */
byte returned, ended;      /* by bit: notifications */
byte last[2];              /* by producer: what was delivered last */
bit busy;                  /* the worker has a record */
bit cancelling, cancelled;
bit out_of_order, twice, late, left_behind;

inline ends(x)
{
    twice = (ended >> (x)) & 1;
    assert(!twice);
    ended = ended | of(x)
}

/* step: src/core/ending.cpp discard_newest */
/* step: src/core/delivery.hpp newest_close */
inline discard_newest()
{
    if
    :: state == kept -> ends(newest); newest = 0
    :: else -> skip
    fi;
    state = rests;
#ifndef CANCEL_LEAVES_IT_OPEN
    newest_closing = 1
#endif
}

/* ---- raising ------------------------------------------------------------------------------------------------------- */

proctype producer(byte me)
{
    byte n, x;
    unsigned count : 3;
    bit seen_good;
next:
    if
    :: n == (me == 0 -> POSTS : OTHERS_POSTS) -> goto finished
    :: atomic { n < (me == 0 -> POSTS : OTHERS_POSTS) -> x = notification(me, n); n++ }
    fi;

    /* step: src/core/submit.cpp submit */
    /* step: src/core/submit.cpp claim */
    /* step: src/core/delivery.hpp claim_take */
    /* step: src/core/delivery.hpp claim_count */
    /* step: src/core/delivery.hpp claim_is_closing */
    /* step: src/core/delivery.hpp slot_is_good */
#ifndef CLAIM_IGNORES_NEWEST
    if
    :: atomic { state != rests -> goto keeps }
    :: else -> skip
    fi;
#endif
claims:
    atomic {
        if
        :: claim_closing -> goto abandoned /* refused */
        :: else -> count = claimed
        fi
    };
    seen_good = (good_for == count);
    atomic {
        if
        :: seen_good && claimed == count && !claim_closing ->
            seen_good = 0;
            claimed++;
            data[RECORD] = x;
            count = 0
        :: !seen_good && claimed == count -> goto keeps
        :: else -> count = 0; seen_good = 0; goto claims
        fi
    };
    /* step: src/core/submit.cpp push */
    if
    :: submitted = 1
    :: goto abandoned
    fi;
    goto wakes;

    /* step: src/core/submit.cpp keep_newest */
    /* step: src/core/delivery.hpp newest_put */
keeps:
    atomic {
        count = 0;
        if
        :: newest_closing -> goto abandoned /* refused */
        :: !newest_closing && state == kept -> ends(newest)
        :: else -> skip
        fi;
        newest = x;
        state = kept
    };

    /* step: src/sys/ready_bitmap.hpp set */
    if
    :: bit_is_set = 1
    :: goto abandoned
    fi;
wakes:
    if
    :: atomic { woken = 1; returned = returned | of(x); x = 0; goto next }
    :: goto abandoned
    fi;

abandoned:
    atomic { x = 0; count = 0; seen_good = 0; goto next };
finished:
    skip
}

/* ---- records that come back ---------------------------------------------------------------------------------------- */

/* step: src/core/one_delivery.cpp give_back */
/* step: src/core/one_delivery.cpp put_into_ring */
/* step: src/core/delivery.hpp returned_slot */
inline give_back_record()
{
    atomic { data[RECORD] = 0; good_for++ }
}

inline give_back_spare()
{
    atomic { data[SPARE] = 0; spare_out = 0 };
#ifndef SPARE_SETS_NO_BIT
    if
    :: atomic { state == kept -> bit_is_set = 1; woken = 1 }
    :: else -> skip
    fi
#endif
}

inline give_back(r)
{
    if
    :: r == SPARE -> give_back_spare()
    :: r == RECORD -> give_back_record()
    fi
}

#ifndef NOBODY_RUNS
/* step: src/core/one_delivery.cpp begin */
/* step: src/core/one_delivery.cpp settle */
proctype worker()
{
    byte r;
    bit was_closing;
end_idle:
    atomic { lane?r -> busy = 1 };
#ifdef BEGINS_IN_TWO_STEPS
    was_closing = gate_closing;
#endif
    atomic {
#ifndef BEGINS_IN_TWO_STEPS
        was_closing = gate_closing;
#endif
        ends(data[r]);
        if
#ifdef CANCEL
        :: was_closing -> was_closing = 0 /* step: src/core/one_delivery.cpp discard */
#endif
        :: else ->
            late = cancelled;
            assert(!late);
            out_of_order = (data[r] < last[producer_of(data[r])] && (returned >> data[r] & 1));
            assert(!out_of_order);
            last[producer_of(data[r])] =
                (data[r] > last[producer_of(data[r])] -> data[r] : last[producer_of(data[r])])
        fi
    };
    give_back(r);
    atomic { r = 0; busy = 0; goto end_idle }
}

#endif

/* ---- the drain ----------------------------------------------------------------------------------------------------- */

/* step: src/core/dispatcher.cpp dispatch */
/* step: src/core/one_delivery.cpp offer_in_turn */
inline dispatch_record()
{
    on_backlog = 0;
    if
    :: atomic { !gate_closing -> lane!RECORD }
#ifdef CANCEL
    :: atomic { gate_closing -> ends(data[RECORD]) }; give_back_record()
#endif
    fi
}

inline dispatch_spare()
{
    if
    :: atomic { !gate_closing -> lane!SPARE }
#ifdef CANCEL
    :: atomic { gate_closing -> ends(data[SPARE]) }; give_back_spare()
#endif
    fi
}

/* step: src/core/dispatcher.cpp take_submitted */
inline take_submitted()
{
    atomic { on_backlog = on_backlog | submitted; submitted = 0 }
}

#ifndef NOBODY_RUNS
proctype drain()
{
end_sleeps:
    atomic { woken && !draining -> woken = 0; draining = 1 };
    /* step: src/core/dispatcher.cpp run */
    take_submitted();
    if
    :: on_backlog -> dispatch_record()
    :: else -> skip
    fi;
    /* step: src/sys/ready_bitmap.hpp take_all */
    if
    :: atomic { bit_is_set -> bit_is_set = 0 }
    :: else -> goto is_done
    fi;
    /* step: src/core/dispatcher.cpp take_newest */
    if
#ifdef SPARE_IS_ALWAYS_THERE
    :: atomic { state == kept -> spare_out = 1 }
#else
    :: atomic { state == kept && !spare_out -> spare_out = 1 }
#endif
    :: else -> goto is_done
    fi;
    /* step: src/core/dispatcher.cpp send_newest */
    /* step: src/core/delivery.hpp newest_take */
    atomic {
        if
        :: state == kept ->
            data[SPARE] = newest;
            newest = 0;
#ifdef RESTS_AT_ONCE
            state = rests
#else
            state = leaving
#endif
#ifdef CANCEL
        :: else -> spare_out = 0; goto is_done /* cancelled */
#endif
        fi
    };
#ifndef NEWEST_FIRST
    take_submitted();
    if
    :: on_backlog -> dispatch_record()
    :: else -> skip
    fi;
#endif
    /* step: src/core/delivery.hpp newest_may_rest */
    /* step: src/core/delivery.hpp newest_rest */
    atomic {
        if
#ifdef RESTS_WHATEVER_IS_IN_IT
        :: !newest_closing -> state = rests
#else
        :: state == leaving && !newest_closing -> state = rests
#endif
        :: else -> skip
        fi
    };
    dispatch_spare();
#ifdef NEWEST_FIRST
    take_submitted();
    if
    :: on_backlog -> dispatch_record()
    :: else -> skip
    fi;
#endif
is_done:
    atomic { draining = 0; goto end_sleeps }
}
#endif

/* ---- cancel -------------------------------------------------------------------------------------------------------- */

#ifdef CANCEL
/* step: src/core/ending.cpp cancel */
proctype canceller()
{
    byte r;
    cancelling = 1;
    claim_closing = 1;
    gate_closing = 1;
#ifndef NOBODY_RUNS
    /* step: src/core/ending.cpp withdraw */
    do
    :: atomic { lane?r -> ends(data[r]) }; give_back(r); r = 0
    :: empty(lane) -> break
    od;
#endif
    atomic { discard_newest() };
    /* step: src/core/ending.cpp purge */
    if
    :: atomic { !draining -> draining = 1 };
        take_submitted();
        if
        :: atomic { on_backlog -> on_backlog = 0; ends(data[RECORD]) }; give_back_record()
        :: else -> skip
        fi;
        draining = 0
#ifndef NOBODY_RUNS
    :: atomic { draining -> woken = 1 } /* the drain that is under way goes round once more */
#endif
    fi;
    atomic { cancelling = 0; cancelled = 1 }
}
#endif

/* ---- what must hold ------------------------------------------------------------------------------------------------ */

#ifdef NOBODY_RUNS
#define still_waits (cancelled && newest != 0 && (returned >> newest & 1))
#else
#define still_waits \
    (!draining && !woken && empty(lane) && !busy && !cancelling && (returned & ~ended))
#endif

active proctype watcher()
{
end_watches:
    atomic {
        still_waits;
        left_behind = 1;
        assert(!left_behind)
    }
}

init {
    atomic {
        run producer(0);
        run producer(1);
#ifndef NOBODY_RUNS
        run worker();
        run drain();
#endif
#ifdef CANCEL
        run canceller();
#endif
        skip
    }
}
