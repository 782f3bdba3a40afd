/* The wakeup word, as src/core/wakeup_word.hpp has it: what each step does to it. A step is atomic, as it is there by a
   compare-exchange of the whole word; nothing here knows of a descriptor. The broken variants of a step stand beside it.

   Two things are smaller than in the code, and change nothing. The count of writers ends at 3 instead of 4095, so that
   a full one is met within few steps. And seq is not a number: all that anybody asks of it is whether it is still the
   one that a poster saw when it began, so that is what is kept, a bit for each poster. It never overflows, and posts
   without end have finitely many states.

   POSTS_ARE_WHOLE: nobody can look at the word between a post's beginning and its end, so it needs neither. */

#ifndef ALL_WRITERS
#define ALL_WRITERS 3
#endif

typedef word_of_bits {
    bit posted;
    bit written;
    bit closing;
    bit asleep;
    unsigned writers : 2
}

mtype = { nothing, refuse, suppress, write_it };

byte claimed; /* bit i: seq is still the one that poster i saw in post_begin */

#define of(i) (1 << (i))

/* step: src/core/wakeup_word.hpp full */
/* step: src/core/wakeup_word.hpp writers_of */
#define full(w) (w.writers == ALL_WRITERS)

/* step: src/core/wakeup_word.hpp writer_in */
inline writer_in(w)
{
    if
#ifdef FULL_WRAPS
    :: full(w) -> w.writers = 0
#else
    :: full(w) -> skip
#endif
    :: else -> w.writers++
    fi
}

/* step: src/core/wakeup_word.hpp writer_out */
inline writer_out(w)
{
    if
#if !defined(FULL_IS_LEFT) && !defined(FULL_WRAPS)
    :: full(w) -> skip
#endif
#ifdef FULL_WRAPS
    :: w.writers == 0 -> w.writers = ALL_WRITERS
#endif
    :: else -> w.writers--
    fi
}

#if defined(TWO_STATE)
#define silenced(w) (w.posted || !w.asleep)
#else
#define silenced(w) (w.written || !w.asleep)
#endif

/* step: src/core/wakeup_word.hpp post_begin */
/* step: src/core/wakeup_word.hpp seq_of */
inline post_begin(w, i, action)
{
    if
    :: w.closing -> action = refuse
    :: !w.closing && silenced(w) ->
        action = suppress;
#ifdef SUPPRESSED_SAYS_NOTHING
        skip
#else
        w.posted = 1
#endif
    :: !w.closing && !silenced(w) ->
        action = write_it;
        w.posted = 1;
#ifndef POSTS_ARE_WHOLE
        writer_in(w);
        claimed = claimed | of(i)
#endif
    fi
}

/* step: src/core/wakeup_word.hpp post_end */
inline post_end(w, i)
{
#ifdef POSTS_ARE_WHOLE
    w.written = 1
#else
#ifndef LEAVES_BEFORE_IT_WRITES
    writer_out(w);
#endif
    if
#ifdef NO_SEQ_CHECK
    :: true -> w.written = 1
#else
    :: claimed & of(i) -> w.written = 1
    :: else -> skip
#endif
    fi;
    claimed = claimed & ~of(i)
#endif
}

/* step: src/core/wakeup_word.hpp visit_begin */
inline visit_begin(w, action)
{
    if
    :: w.closing -> action = refuse
#ifdef VISITOR_BELIEVES_ITS_COPY
    :: !w.closing && silenced(w) -> action = suppress
    :: !w.closing && !silenced(w) -> action = write_it; writer_in(w)
#else
    :: else -> action = write_it; writer_in(w)
#endif
    fi
}

/* step: src/core/wakeup_word.hpp visit_end */
inline visit_end(w)
{
    writer_out(w)
}

/* step: src/core/wakeup_word.hpp consume */
inline clear_bits(w)
{
    w.posted = 0;
    w.written = 0;
    claimed = 0
}

/* step: src/core/wakeup_word.hpp sleep_begin */
inline sleep_begin(w, may_sleep)
{
    if
#ifndef SLEEPS_UNASKED
    :: w.posted -> w.asleep = 0; may_sleep = 0
#endif
    :: else -> w.asleep = 1; may_sleep = 1
    fi
}

/* step: src/core/wakeup_word.hpp wake */
inline wake_up(w)
{
    w.asleep = 0
}

/* step: src/core/wakeup_word.hpp close_begin */
inline close_begin(w)
{
    w.closing = 1
}

/* step: src/core/wakeup_word.hpp may_close */
#ifdef CLOSES_AT_ONCE
#define may_close(w) (w.closing)
#else
#define may_close(w) (w.closing && w.writers == 0)
#endif

/* step: src/core/wakeup_word.hpp recycle */
inline recycle(w)
{
    w.posted = 0;
    w.written = 0;
    w.closing = 0;
    w.writers = 0;
#ifdef FRESH_IS_AWAKE
    w.asleep = 0;
#else
    w.asleep = 1;
#endif
    claimed = 0
}
