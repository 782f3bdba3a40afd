/* The wakeup of an event_raw: posters that may be left anywhere, the posts of a forked child, an owner's loop that
   sleeps on the descriptor and is woken by other things as well, and an owner that closes and opens again. All go on
   without end: what holds here holds for any number of posts, sleeps and closes.

     OURS      the loop says when it sleeps (W2). Without it, it is somebody else's, and counts as asleep for ever.
     EDGES     (with OURS) it is told of edges, and takes without reading the descriptor.
     TAKES_THEN_READS  (with EDGES, and no PIPE) it runs its handler only if it has taken something, or else read something.
     PIPE      (with EDGES) the descriptor is a pipe, which fills up, here with the first byte: a write to a full one is
               success and makes no edge, and who takes drains it all the same.
     FULL      somebody else has filled the eventfd, so that the first write to it fails.
     CLOSER    the owner closes the object now and then, and opens one in the same memory.
     CHILD     a forked child posts by its copy of the word; its owner there closes that copy.
     NOBODY_LEAVES  no poster is abandoned.
     LIVENESS  nothing but the descriptor wakes the loop, and each post must be heard in the end.

   What must hold:
     lost         whenever the loop is in the call that blocks and the descriptor has nothing to report, every post that
                  has returned has been followed by a handler that started after it.
     stray_write  nobody writes to a number that is not the object's: it would be somebody else's file.
     wedged       no state in which everybody stands still, but those marked with end.
     unheard      (LIVENESS) a post that has returned is heard, if only everybody goes on (weak fairness).

   A handler may rely on seeing what was stored before an exchange of the word (or, from another process, a write) that
   the clear (the read) before it came after, and on nothing else. So a post that only looks is lost even if the
   descriptor was written. Where the data of a post stands, by bit for each poster:
     stored     in memory, but no exchange has published it
     published  an exchange has, and no clear has taken it
     mailed     a write of another process has, and the owner has neither been told nor read
     taken      taken, and the handler has not run
     owed       the post has returned, its data is stored, published or mailed
     due        the post has returned, its data is taken */

#include "wakeup_word.pml"

#ifndef POSTERS
#define POSTERS 2
#endif

word_of_bits w;
bit readable;     /* the descriptor */
bit edge;         /* it has been written since the last report; only where edges are told */
bit pair;         /* the object's number: one of two, the other one is a stranger's */
bit is_open = 1;  /* it is the object's */
bit in_call;      /* the loop is in the call that blocks */
byte stored, published, mailed, taken, owed, due;
bit lost, stray_write;

#ifdef EDGES
#define has_news (edge && readable)
#else
#define has_news readable
#endif

#ifdef NOBODY_LEAVES
#define left_by_a_jump false
#else
#define left_by_a_jump true
#endif

/* step: backends/wakeup/eventfd.cpp signal_eventfd */
/* step: backends/wakeup/eventfd.cpp add */
/* step: backends/wakeup/pipe.cpp signal_pipe */
inline signal(was_full)
{
#if defined(FULL)
    was_full = readable;
#endif
#if defined(PIPE) || defined(FULL)
    if
    :: readable -> skip
    :: else ->
#endif
        readable = 1;
#ifdef EDGES
        edge = 1
#else
        skip
#endif
#if defined(PIPE) || defined(FULL)
    fi
#endif
}

/* ---- a post -------------------------------------------------------------------------------------------------------- */

inline enters(i, action)
{
#if defined(LOOKS_THEN_ENTERS)
    action = write_it;
    w.posted = 1;
    writer_in(w);
    claimed = claimed | of(i);
#else
    post_begin(w, i, action);
#endif
    stored = stored & ~of(i);
    if
    :: action != refuse -> published = published | of(i)
    :: else -> skip
    fi
}

inline returns(i)
{
    due = due | (taken & of(i) & ~(published | stored));
    owed = owed | ((published | stored) & of(i))
}

/* step: src/core/event_raw.hpp post */
/* step: src/core/event_raw.cpp finish_post */
proctype poster(byte me)
{
    mtype action = nothing;
    bit number, was_full;
end_idle:
#ifdef LOOKS_THEN_ENTERS
    if
    :: w.closing -> goto end_idle
    :: else -> skip
    fi;
#endif
    atomic {
        stored = stored | of(me);
#ifdef LOAD_ONLY
        if
        :: !w.closing && silenced(w) && w.posted -> returns(me); goto end_idle
        :: else -> skip
        fi;
#endif
        enters(me, action);
        if
#if defined(CLOSER) && !defined(LOOKS_THEN_ENTERS)
        :: action == refuse -> action = nothing; goto end_idle
#endif
        :: action == suppress -> action = nothing; returns(me); goto end_idle
        :: action == write_it -> action = nothing
        fi
    };
#ifdef LEAVES_BEFORE_IT_WRITES
    writer_out(w);
#endif
    if
    :: number = pair
    :: left_by_a_jump -> goto abandoned
    fi;
    if
    :: atomic {
            stray_write = !(is_open && number == pair);
            assert(!stray_write);
#ifndef FULL
            number = 0;
#endif
            signal(was_full)
        }
    :: left_by_a_jump -> goto abandoned
    fi;
#ifdef FULL
    if
    :: atomic { !was_full -> number = 0 }
#ifdef MAKES_ROOM
    :: atomic { was_full -> readable = 0 };
        if
        :: atomic { number = 0; was_full = 0; signal(was_full); was_full = 0 }
        :: left_by_a_jump -> goto abandoned
        fi
#else
    :: atomic {
            was_full -> was_full = 0;
            stray_write = !(is_open && number == pair);
            assert(!stray_write);
            number = 0;
#ifdef EDGES
            edge = 1 /* a write of 0 */
#endif
        }
#endif
    :: left_by_a_jump -> goto abandoned
    fi;
#endif
    if
    :: atomic { post_end(w, me); returns(me); goto end_idle }
    :: left_by_a_jump -> goto abandoned
    fi;
abandoned:
    atomic { number = 0; was_full = 0; claimed = claimed & ~of(me); goto end_idle }
}

/* ---- the posts of a forked child ----------------------------------------------------------------------------------- */

#ifdef CHILD
word_of_bits copy; /* the child's */
bit copy_is_open = 1;

/* step: src/core/event_raw.cpp visit */
proctype visitor(byte me)
{
    mtype action = nothing;
    bit was_full;
    atomic { /* the fork, at any time; writers that are in it then will never leave the copy */
        copy.writers = w.writers;
#ifdef VISITOR_BELIEVES_ITS_COPY
        copy.posted = w.posted; /* nobody else asks the copy for these */
        copy.written = w.written;
        copy.asleep = w.asleep;
#endif
        run child_closer()
    };
end_idle:
    atomic {
        visit_begin(copy, action);
        if
        :: action == refuse -> action = nothing; goto end_idle
#ifdef VISITOR_BELIEVES_ITS_COPY
        :: action == suppress -> action = nothing; stored = stored | of(me); returns(me); goto end_idle
#endif
        :: action == write_it -> action = nothing
        fi
    };
#ifdef VISITOR_IS_NOT_COUNTED
    visit_end(copy);
#endif
    if
    :: atomic {
            stray_write = !copy_is_open;
            assert(!stray_write);
            signal(was_full);
            mailed = mailed | of(me);
            owed = owed | of(me)
        }
    :: left_by_a_jump -> goto end_idle
    fi;
    if
#ifdef VISITOR_IS_NOT_COUNTED
    :: goto end_idle
#else
    :: atomic { visit_end(copy); goto end_idle }
#endif
    :: left_by_a_jump -> goto end_idle
    fi
}

proctype child_closer()
{
    atomic { close_begin(copy) };
end_retired:
    atomic { may_close(copy) -> copy_is_open = 0 }
}
#endif

/* ---- the owner ----------------------------------------------------------------------------------------------------- */

inline take_mail()
{
#ifdef CHILD
    taken = taken | mailed;
    due = due | (owed & mailed);
    owed = owed & ~mailed;
    mailed = 0
#else
    skip
#endif
}

/* step: backends/wakeup/eventfd.cpp drain_eventfd */
/* step: backends/wakeup/pipe.cpp drain_pipe */
inline drain()
{
    atomic { readable = 0; take_mail() }
}

inline take_data()
{
    taken = taken | published;
    due = due | (owed & published & ~stored);
    owed = owed & ~(published & ~stored);
    published = 0
}

/* step: src/core/event_raw.cpp clear */
inline clear()
{
    atomic { clear_bits(w); take_data() }
}

inline run_handler()
{
    atomic { taken = 0; due = 0 }
}

/* step: src/core/event_raw.cpp consume */
inline consume_and_run()
{
#if defined(CLEARS_BEFORE_IT_DRAINS)
    clear();
    drain();
    run_handler()
#elif defined(RUNS_BEFORE_IT_CLEARS)
    drain();
    atomic { take_data() };
    run_handler();
    clear()
#else
    drain();
    clear();
    run_handler()
#endif
}

/* step: src/core/event_raw.cpp take */
inline take_and_run()
{
#if defined(PIPE) && !defined(PIPE_IS_NOT_DRAINED)
    consume_and_run()
#else
    clear();
    run_handler()
#endif
}

/* step: src/ivykis/registration.cpp take */
inline take_or_read_and_run()
{
    atomic { told = w.posted; clear_bits(w); take_data() };
    if
    :: told -> skip
    :: else ->
        atomic { told = readable; readable = 0; take_mail() };
        atomic { told = told | w.posted; clear_bits(w); take_data() }
    fi;
    if
    :: told -> atomic { told = 0; taken = 0; due = 0 }
    :: else -> skip
    fi
}

proctype owner()
{
    bit may_sleep, told;
asks:
#ifdef CLOSER
    if
    :: goto closes
    :: skip
    fi;
#endif
    /* step: src/core/event_raw.hpp try_sleep */
    /* step: src/core/event_loop.cpp turn */
    /* step: src/ivykis/registration.cpp try_sleep */
#if !defined(OURS) || defined(SLEEPS_UNSAID)
    in_call = 1;
#elif defined(LOOKS_THEN_SLEEPS)
    may_sleep = !w.posted;
    if
    :: atomic { may_sleep -> may_sleep = 0; w.asleep = 1; in_call = 1 }
    :: else -> goto posted_while_awake
    fi;
#else
    atomic {
        sleep_begin(w, may_sleep);
        if
        :: may_sleep -> may_sleep = 0; in_call = 1
#ifndef SLEEPS_UNASKED
        :: else -> goto posted_while_awake
#endif
        fi
    };
#endif

end_blocked:
    if
#ifdef EDGES
    :: atomic { has_news -> in_call = 0; edge = 0; take_mail() }
#else
    :: atomic { has_news -> in_call = 0 }
#endif
#ifndef LIVENESS
    :: in_call = 0; /* a timer, a signal */
#ifdef OURS
        wake_up(w);
#endif
        goto asks
#endif
    fi;
#ifdef OURS
    /* step: src/core/event_raw.hpp awake */
    /* step: src/ivykis/registration.cpp wake */
    wake_up(w);
#endif
#if defined(TAKES_THEN_READS)
    take_or_read_and_run();
#elif defined(EDGES)
    take_and_run();
#else
    consume_and_run();
#endif
    goto asks;

#if defined(OURS) && !defined(SLEEPS_UNSAID) && !defined(SLEEPS_UNASKED)
posted_while_awake: /* the descriptor may never tell of it */
    take_and_run();
    goto asks;
#endif

#ifdef CLOSER
closes:
    /* step: src/core/event_raw.cpp close */
    atomic { close_begin(w); stored = 0; published = 0; taken = 0; owed = 0; due = 0 };
    /* step: src/core/event_raw_pool.cpp may_close */
    /* step: src/core/event_raw_pool.cpp retire */
    /* step: src/core/event_raw_pool.cpp look_at_retired */
end_retired: /* for a while in close() itself, then among the retired */
    may_close(w);
    /* step: src/core/event_raw_pool.cpp give_back */
    is_open = 0;
    /* step: src/core/event_raw.cpp open_event_raw */
    atomic { pair = 1 - pair; readable = 0; edge = 0; is_open = 1 };
    atomic { recycle(w); goto asks }
#endif
}

/* ---- what must hold ------------------------------------------------------------------------------------------------ */

#ifdef LIVENESS
ltl heard { [] ((owed & of(0)) -> <> !(owed & of(0))) }
#else
active proctype listener()
{
end_listens:
    atomic { in_call && !has_news && (owed || due); lost = 1; assert(!lost) }
}
#endif

init {
    atomic {
        byte i = 0;
        recycle(w);
        do
        :: i < POSTERS -> run poster(i); i++
        :: else -> break
        od;
        i = 0;
#ifdef CHILD
        run visitor(POSTERS);
#endif
        run owner()
    }
}
