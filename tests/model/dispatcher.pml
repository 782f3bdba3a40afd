/* The road of the dispatcher: the stack that producers push records onto, the drain that takes it whole, and the drain
   word (idle, running, again) that readiness, timers and cancel enter. One record each for two producers, which comes
   back to them, so they go on without end.

     THREADS=n  n threads wait for the descriptors, as on a context of the program's. Descriptor 0, the wakeup, is
                level-triggered, and counts as asleep for ever. Any other may be ready at any time, also for nothing.
     OURS       one thread runs the loop and says when it sleeps (the runtime's own). It is told of the edges of the
                wakeup and of a timer.
     SHELL      (with OURS) it is told of the levels, by the Asio shell.
     CANCEL     somebody cancels the subscription of producer 1, which enters the drain word from elsewhere.
     CANCELS_2  and somebody else that of producer 0.
     THREADS=0  nobody waits for the descriptors: what was on the road when its subscription was cancelled is off it when
                both have returned.
     POSTS=n    each producer submits n times; without it, without end.

   Either producer may be left wherever it stands. One may be a signal handler that has interrupted the other, or the
   drain, on its own thread; then the interrupted one stands still, which is one of the interleavings looked at here.
   A post is one step, by the word's own functions; its steps are looked at in wakeup.pml.

   What must hold:
     out_of_order  a record is dispatched once, and after all that were pushed before it.
     two_drains    never are two threads in the drain, or a method busy twice.
     late          no delivery of a cancelled subscription is under way after cancel has returned.
     left_behind   when all threads sleep and no descriptor has anything to report, nothing is on the road whose submit
                   has returned, nothing of the cancelled subscription that its purge came after, and the timer is not
                   due; although producers may stand in the middle of a submit.
     wedged        no state in which everybody stands still, but those marked with end. */

#define POSTS_ARE_WHOLE
#include "wakeup_word.pml"

#define PRODUCERS 2
#ifndef THREADS
#define THREADS 1
#endif

/* The stack: the newest record and, by record, the one below it. 0 is none, r + 1 is record r. */
byte head;
byte below[PRODUCERS];
byte free_records = (1 << PRODUCERS) - 1;
chan backlog = [PRODUCERS] of { byte }; /* whoever holds the drain word owns it */
#ifdef LINKED_QUEUE
chan queue = [PRODUCERS] of { byte };
byte linked;
#endif

mtype = { idle, running, again };
mtype drain_word = idle;

word_of_bits w;
bit readable;      /* the wakeup's descriptor */
bit posted_flag;   /* reactor::posted_ */
bit edge;          /* of the wakeup, where edges are told */
bit due, due_edge; /* a timer; only where edges are told is there anything to be missed */
byte closing;      /* by bit, the subscriptions of the producers */
byte delivering;   /* gate_delivering: 1 + the producer whose record a method is busy with. (It stays from one record of a
                      subscription to the next; here each has one, and tests/core/dispatcher_end_test.cpp has several.) */

/* Books. */
chan road = [PRODUCERS] of { byte }; /* what has been pushed and not dispatched, in the order of the pushes */
byte owed;                           /* by bit, of those: the submit has returned, or a purge has come */
byte drains, sleepers, purging;
byte must_go;                        /* by bit, of those: there when its subscription was cancelled */
byte cancelled;
bit out_of_order, two_drains, late, left_behind;

inline takes_off_the_road(r)
{
    road??eval(r);
    owed = owed & ~of(r);
    must_go = must_go & ~of(r);
    free_records = free_records | of(r);
    r = 0
}

/* step: src/core/submit.cpp wake */
/* step: src/core/wakeup_word.hpp is_told */
#ifdef TOLD_BY_ASLEEP_ALONE
#define is_told(w) (w.written || !w.asleep)
#else
#define is_told(w) (w.written || (w.posted && !w.asleep))
#endif

/* step: src/core/reactor.cpp wake */
/* step: src/core/event_raw.hpp post */
inline wake()
{
    post_begin(w, 0, action);
    if
    :: action == write_it ->
#if defined(OURS) && !defined(SHELL)
        edge = 1;
#else
        readable = 1;
#endif
        post_end(w, 0)
    :: else -> skip
    fi;
    action = nothing
}

/* ---- producers ----------------------------------------------------------------------------------------------------- */

/* step: src/core/submit.cpp claim */
/* step: src/core/submit.cpp submit */
/* step: src/core/submit.cpp submit_only */
/* Of a method to which the drain alone delivers, or when calls come in bursts. Else the thread that calls it delivers the one record
   of its subscription, which no drain meets, and nothing here is touched. */
proctype producer(byte me)
{
    mtype action = nothing;
#ifdef LOOKS_BEFORE_IT_PUSHES
    bit told_before;
#endif
#ifdef POSTS
    byte posts;
#endif
end_idle:
#ifdef POSTS
    posts++;
end_finished:
    (posts <= POSTS);
#endif
end_claims: /* cancelled: for ever */
    atomic {
        (free_records & of(me)) && !(closing & of(me)) -> free_records = free_records & ~of(me)
    };
#ifdef DIRECT
    if
    :: atomic { /* this thread runs the reactor, so directly */
            me == 1 && drains != 0 ->
            two_drains = (delivering != 0);
            assert(!two_drains);
            free_records = free_records | of(me);
            goto end_idle
        }
    :: skip
    fi;
#endif
    /* step: src/core/submit.cpp push */
#ifdef LOOKS_BEFORE_IT_PUSHES
    told_before = is_told(w);
#endif
    if
#ifdef LINKED_QUEUE
    :: atomic { queue!me; road!me }
#else
    :: atomic { below[me] = head; head = me + 1; road!me }
#endif
    :: goto end_idle /* left: the record stays claimed, for ever */
    fi;
#ifdef LINKED_QUEUE
    if
    :: linked = linked | of(me)
    :: goto end_idle
    fi;
#endif
#ifdef LOOKS_BEFORE_IT_PUSHES
#define looks_told told_before
#else
#define looks_told is_told(w)
#endif
    if
    :: atomic {
            if
            :: looks_told -> skip /* nothing is written, and nothing said: a load */
            :: wake() /* as it must where it is not told; where it is, somebody else may have told since it looked */
            fi;
            if
            :: road??[eval(me)] -> owed = owed | of(me)
            :: else -> skip
            fi;
            goto end_idle
        }
    :: goto end_idle /* left: whoever wakes the reactor next brings it along */
    fi
}

/* ---- the drain word ------------------------------------------------------------------------------------------------ */

/* step: src/core/dispatcher.cpp enter */
/* step: src/core/delivery.hpp drain_enter */
inline enter(mine)
{
#ifdef ENTERS_IN_TWO_STEPS
    mine = (drain_word == idle);
    drain_word = (mine -> running : again);
#else
    if
    :: drain_word == idle -> drain_word = running; mine = 1
#ifdef NO_AGAIN
    :: else -> mine = 0
#else
    :: else -> drain_word = again; mine = 0
#endif
    fi;
#endif
    if
    :: mine -> two_drains = (drains != 0); assert(!two_drains); drains++
    :: else -> skip
    fi
}

/* step: src/core/dispatcher.cpp leave */
/* step: src/core/delivery.hpp drain_leave */
inline leave(once_more)
{
    if
#ifndef LEAVES_BY_A_STORE
    :: drain_word == again -> drain_word = running; once_more = 1
#endif
    :: else -> drain_word = idle; drains--; once_more = 0
    fi
}

/* step: src/core/dispatcher.cpp leave_for_later */
inline leave_the_word_for_later()
{
    atomic {
#ifdef LATER_FORGETS_AGAIN
        must_wake = nempty(backlog);
#else
        must_wake = (drain_word == again || nempty(backlog));
#endif
        drain_word = idle;
        drains--
    }
}

inline leave_for_later()
{
    leave_the_word_for_later();
    if
    :: atomic { must_wake -> must_wake = 0; wake() }
    :: else -> skip
    fi
}

/* By the loop itself, which has said that it is awake: the post is only noted. */
inline leave_for_later_awake()
{
    leave_the_word_for_later();
    if
    :: atomic { must_wake -> must_wake = 0; assert(!w.asleep); w.posted = 1 }
    :: else -> skip
    fi
}

/* step: src/core/dispatcher.cpp take_submitted */
inline take_submitted()
{
#ifdef LINKED_QUEUE
    atomic {
        do
        :: queue?[r] ->
            queue?<r>;
            if
            :: linked & of(r) -> queue?r; linked = linked & ~of(r); backlog!r; r = 0
            :: else -> r = 0; break
            fi
        :: empty(queue) -> break
        od
    }
#else
#ifdef TAKES_IN_TWO_STEPS
    taken = head;
#endif
    atomic {
#ifndef TAKES_IN_TWO_STEPS
        taken = head;
#endif
        head = 0;
        /* Reversed; from the exchange on this memory is the drain's alone. */
        do
        :: taken != 0 ->
            r = below[taken - 1];
#ifdef NOT_REVERSED
            backlog!(taken - 1);
            below[taken - 1] = 0;
#else
            below[taken - 1] = batch;
            batch = taken;
#endif
            taken = r
        :: else -> break
        od;
        do
        :: batch != 0 -> backlog!(batch - 1); r = batch - 1; batch = below[r]; below[r] = 0
        :: else -> break
        od;
        r = 0
    }
#endif
}

/* ---- the threads that run the reactor ------------------------------------------------------------------------------ */

inline consume_or_take()
{
#if !defined(OURS) || defined(SHELL)
    atomic { was_posted = posted_flag; posted_flag = 0 };
    if
    :: atomic { was_posted -> was_posted = 0; readable = 0; clear_bits(w) }
    :: else ->
#endif
#ifdef OURS
        if
        :: atomic { w.posted -> clear_bits(w) }
        :: else -> skip
        fi
#else
        skip
#endif
#if !defined(OURS) || defined(SHELL)
    fi
#endif
}

#if THREADS != 0
proctype thread()
{
    mtype action = nothing;
    bit mine, must_wake;
    byte r, taken, batch;
#if !defined(OURS) || defined(SHELL)
    bit was_posted;
#endif

#ifdef OURS
    bit may_sleep, both;
asks:
    /* step: src/core/event_loop.cpp turn */
    /* step: src/core/reactor.cpp try_sleep */
    if
    :: atomic {
            sleep_begin(w, may_sleep);
            if
            :: may_sleep -> may_sleep = 0; sleepers++
            :: else -> goto drains_it
            fi
        }
        /* It may also look at the descriptors without sleeping: while it spins, and after many posts. */
#ifdef SHELL
    :: atomic { readable -> was_posted = 1; goto reports_it }
#else
    :: atomic {
            edge || due_edge;
            both = edge && due_edge;
            edge = 0;
            due_edge = 0;
            goto drains_it
        }
#endif
    fi;
#else
sleeps:
    sleepers++;
#endif

#if defined(OURS) && !defined(SHELL)
    /* step: src/core/event_loop.cpp settle */
    /* step: src/core/reactor.cpp edge */
    /* step: src/core/perpetual_watch.hpp perform */
end_blocked:
    atomic {
        edge || due_edge;
        both = edge && due_edge; /* told one after the other */
        edge = 0;
        due_edge = 0;
        sleepers--
    };
#else
    /* step: src/core/reactor.cpp ready */
    /* step: include/sigev/detail/reactor_service.hpp on_wait */
end_blocked:
    if
    :: atomic { readable -> sleepers--; was_posted = 1 }
    :: sleepers--
    fi;
#ifdef SHELL
reports_it:
#endif
    if
    :: atomic { was_posted -> was_posted = 0; posted_flag = 1 }
    :: else -> skip
    fi;
#endif
#ifdef OURS
    /* step: src/core/reactor.cpp awake */
    wake_up(w);
#endif

    /* step: src/core/reactor.cpp drain */
    /* step: src/core/reactor.hpp run_posted */
drains_it:
#ifdef ENTERS_IN_TWO_STEPS
    enter(mine);
#else
    atomic { enter(mine) };
#endif
    if
    :: atomic { mine -> mine = 0 }
    :: else -> goto is_done
    fi;
once_more:
#ifndef CONSUMES_AFTER_IT_RUNS
    consume_or_take();
#endif
    /* step: src/core/dispatcher.cpp run */
    take_submitted();
next:
    /* step: src/core/dispatcher.cpp dispatch */
    /* step: src/core/one_delivery.cpp offer_in_turn */
    atomic {
        if
        :: nempty(backlog) ->
            backlog?r;
            out_of_order = !road?[eval(r)];
            assert(!out_of_order);
            if
#ifdef CANCEL
            :: closing & of(r) -> takes_off_the_road(r); goto next /* discarded */
#endif
            :: else -> delivering = 1 + r
            fi
        :: empty(backlog) -> goto has_run
        fi
    };
    atomic {
        late = ((cancelled & of(r)) != 0);
        assert(!late);
        delivering = 0;
        takes_off_the_road(r);
        goto next
    };
has_run:
#ifdef CONSUMES_AFTER_IT_RUNS
    consume_or_take();
#endif
#if defined(OURS) && !defined(SHELL)
    atomic { due = 0; due_edge = 0 }; /* a source's reap */
#endif
    if
    :: atomic {
            leave(mine);
            if
            :: mine -> mine = 0; goto once_more
            :: else -> skip
            fi
        }
    /* that was the last of the rounds of one drain: 32 in the code, any here */
#ifdef SHELL
    :: leave_for_later_awake()
#else
    :: leave_for_later()
#endif
    fi;
is_done:
#ifndef OURS
    goto sleeps
#elif defined(SHELL)
    goto asks
#else
    if
    :: atomic { both -> both = 0; goto drains_it }
    :: else -> goto asks
    fi
#endif
}
#endif

#if defined(OURS) && !defined(SHELL)
proctype timer()
{
end_timer:
    do
    :: atomic { !due -> due = 1; due_edge = 1 }
    od
}
#endif

/* ---- cancel -------------------------------------------------------------------------------------------------------- */

#ifdef CANCEL
/* step: src/core/ending.cpp cancel */
proctype canceller(byte me)
{
    mtype action = nothing;
    bit mine, must_wake;
    byte r, taken, batch;
    atomic { closing = closing | of(me); purging++ };
#if !defined(CANCEL_DOES_NOT_WAIT) && THREADS != 0
    delivering != 1 + me; /* gate_delivering is clear, or another subscription's */
#endif
    /* step: src/core/ending.cpp purge */
    atomic {
        if
        :: road??[eval(me)] -> owed = owed | of(me); must_go = must_go | of(me)
        :: else -> skip
        fi
    };
#ifdef PURGES_UNENTERED
    drains++;
    mine = 1;
#else
    atomic { enter(mine) };
#endif
    if
    :: atomic { mine -> mine = 0 };
purges:
        take_submitted();
        atomic {
            batch = len(backlog);
            do
            :: batch > 0 ->
                backlog?r;
                if
#ifdef PURGES_ITS_OWN
                :: r == me -> takes_off_the_road(r)
#else
                :: closing & of(r) -> takes_off_the_road(r)
#endif
                :: else -> backlog!r; r = 0
                fi;
                batch--
            :: else -> break
            od;
            must_wake = (must_wake || nempty(backlog))
        };
#ifdef PURGES_ONCE
        leave_for_later()
#else
        if
        :: atomic {
                leave(mine);
                if
                :: mine -> mine = 0; must_wake = 1; goto purges
                :: else -> skip
                fi
            };
            if
            :: atomic { must_wake -> must_wake = 0; wake() }
            :: else -> skip
            fi
#if THREADS != 0
        :: leave_the_word_for_later(); /* that was the last of its rounds: 32 in the code, any here */
            atomic { must_wake = 0; wake() }
#endif
        fi
#endif
    :: else -> skip
    fi;
    atomic { purging--; cancelled = cancelled | of(me) }
}
#endif

/* ---- what must hold ------------------------------------------------------------------------------------------------ */

#if defined(OURS) && !defined(SHELL)
#define nothing_is_reported (!edge && !due_edge)
#else
#define nothing_is_reported (!readable)
#endif

active proctype watcher()
{
end_watches:
    atomic {
#if THREADS == 0
        !purging && must_go;
#else
        sleepers == THREADS && nothing_is_reported && !purging && (owed || due);
#endif
        left_behind = 1;
        assert(!left_behind)
    }
}

init {
    atomic {
        byte i = 0;
        recycle(w);
        run producer(0);
        run producer(1);
        do
#if THREADS != 0
        :: i < THREADS -> run thread(); i++
#endif
        :: else -> break
        od;
        i = 0;
#if defined(OURS) && !defined(SHELL)
        run timer();
#endif
#ifdef CANCEL
        run canceller(1);
#endif
#ifdef CANCELS_2
        run canceller(0);
#endif
        skip
    }
}
