/* The bitmap in which a subscription that has overflowed stands (and a timer's slot): setters that may be left between
   any two steps, and one taker. Two levels, two indices in one leaf, one of them set by two setters. Without end. The
   third level, the root, stands to the summary as the summary to a leaf.

   What must hold:
     missed  when the taker sleeps and nobody has woken it, every index whose set() has returned has been visited by a
             visit that started after that set() had begun. Although other setters may stand in the middle of one. */

#define SETTERS 3
#define index_of(me) ((me) >> 1) /* 0, 0, 1 */
#define of(i) (1 << (i))

byte leaf;
bit summary;
bit woken;

/* Books. */
byte begun, owed; /* by bit: setters. What they published has not been visited; and set() has returned */
bit sleeps = 1;
bit missed;

/* step: src/sys/ready_bitmap.hpp set */
/* step: src/sys/ready_bitmap.hpp raise */
proctype setter(byte me)
{
    bit seen;
end_idle:
#ifdef LOOKS_AT_THE_SUMMARY_FIRST
    atomic { begun = begun | of(me); seen = summary };
#else
    begun = begun | of(me);
#endif
#ifdef SUMMARY_FIRST
    if
    :: summary -> skip
    :: else -> summary = 1
    fi;
#endif
    if
    :: leaf & of(index_of(me)) ->
#ifdef SUMMARY_ONLY_WITH_A_NEW_LEAF
        goto wakes
#else
        skip
#endif
    :: else ->
        if
        :: leaf = leaf | of(index_of(me))
        :: goto abandoned
        fi
    fi;
#ifndef SUMMARY_FIRST
    if
#ifdef LOOKS_AT_THE_SUMMARY_FIRST
    :: atomic { seen -> seen = 0 }
    :: atomic { !seen -> summary = 1 }
#else
    :: summary -> skip
    :: else ->
        if
        :: summary = 1
        :: goto abandoned
        fi
#endif
    fi;
#endif
wakes:
    if
    :: atomic { woken = 1; owed = owed | (of(me) & begun); goto end_idle }
    :: goto abandoned
    fi;
abandoned:
    atomic { seen = 0; begun = begun & (~of(me) | owed); goto end_idle }
}

/* step: src/sys/ready_bitmap.hpp take_all */
/* step: src/sys/ready_bitmap.hpp take_group */
/* step: src/sys/ready_bitmap.hpp take */
/* step: src/sys/ready_bitmap.hpp for_each_bit */
proctype taker()
{
    byte bits;
end_sleeps:
    atomic { woken -> woken = 0; sleeps = 0 };
#ifdef LEAF_TAKEN_FIRST
    atomic { bits = leaf; leaf = 0 };
#endif
    if
    :: summary -> summary = 0 /* nobody else takes a bit away: a look and an exchange */
    :: else -> goto done
    fi;
#ifndef LEAF_TAKEN_FIRST
    if
    :: leaf != 0 -> atomic { bits = leaf; leaf = 0 }
    :: else -> goto done
    fi;
#endif
    if
    :: atomic { bits & of(0) -> begun = begun & ~3; owed = owed & ~3 }
    :: else -> skip
    fi;
    if
    :: atomic { bits & of(1) -> begun = begun & ~4; owed = owed & ~4 }
    :: else -> skip
    fi;
done:
    atomic { bits = 0; sleeps = 1; goto end_sleeps }
}

active proctype watcher()
{
end_watches:
    atomic { sleeps && !woken && owed; missed = 1; assert(!missed) }
}

init {
    atomic {
        run setter(0);
        run setter(1);
        run setter(2);
        run taker()
    }
}
