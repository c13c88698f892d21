/*
 * notes.c
 *		What the transaction has touched and not settled.
 *
 * Notes are backend memory of one transaction.  Each belongs to the
 * subtransaction that made it: if that is rolled back, so is the note, and if
 * it commits, the note becomes its parent's.  "Armed" means that an event is
 * queued that will settle at commit; the queued event too disappears with the
 * subtransaction that queued it.
 *
 * A prepared transaction has settled before it is prepared.
 */
#include "base/notes.h"

#include "access/xact.h"
#include "commands/extension.h"
#include "common/hashfn.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "base/engine.h"

static MemoryContext notes_context = NULL;
static Note *notes = NULL;
static int	nnotes = 0;
static int	capacity = 0;
static HTAB *known = NULL;
static SubTransactionId armed = InvalidSubTransactionId;

typedef struct KnownNote
{
	Note		key;			/* hashed and compared by kind, tenant, a, b */
	int			index;
} KnownNote;

static uint32
note_hash(const void *key, Size keysize)
{
	const Note *n = key;
	uint32		h = hash_combine((uint32) n->kind, (uint32) n->tenant_id);

	h = hash_combine(h, hash_bytes((const unsigned char *) n->a, strlen(n->a)));
	return hash_combine(h, hash_bytes((const unsigned char *) n->b, strlen(n->b)));
}

static int
note_match(const void *key1, const void *key2, Size keysize)
{
	const Note *x = key1;
	const Note *y = key2;

	return !(x->kind == y->kind && x->tenant_id == y->tenant_id &&
			 strcmp(x->a, y->a) == 0 && strcmp(x->b, y->b) == 0);
}

static void
forget_all(void)
{
	notes_context = NULL;		/* goes with TopTransactionContext */
	notes = NULL;
	known = NULL;
	nnotes = capacity = 0;
}

static void
make_store(void)
{
	HASHCTL		ctl;

	notes_context = AllocSetContextCreate(TopTransactionContext, "routing notes",
										  ALLOCSET_DEFAULT_SIZES);
	capacity = 16;
	notes = MemoryContextAlloc(notes_context, sizeof(Note) * capacity);
	nnotes = 0;
	ctl.keysize = sizeof(Note);
	ctl.entrysize = sizeof(KnownNote);
	ctl.hash = note_hash;
	ctl.match = note_match;
	ctl.hcxt = notes_context;
	known = hash_create("routing noted keys", 64, &ctl,
						HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
}

/* Note a key; noting it again changes nothing. */
void
notes_add(NoteKind kind, int32 tenant_id, const char *a, const char *b)
{
	Note		probe;
	KnownNote  *entry;
	bool		found;

	if (notes_context == NULL)
		make_store();

	probe.kind = kind;
	probe.tenant_id = tenant_id;
	probe.a = unconstify(char *, a);
	probe.b = unconstify(char *, b ? b : "");
	/* the lines of an order follow each other */
	if (nnotes > 0 && note_match(&notes[nnotes - 1], &probe, sizeof(Note)) == 0)
		return;
	if (hash_search(known, &probe, HASH_FIND, NULL) != NULL)
		return;

	if (nnotes == capacity)
	{
		notes = repalloc_huge(notes, sizeof(Note) * capacity * 2);
		capacity *= 2;
	}
	probe.a = MemoryContextStrdup(notes_context, probe.a);
	probe.b = MemoryContextStrdup(notes_context, probe.b);
	probe.subid = GetCurrentSubTransactionId();
	entry = hash_search(known, &probe, HASH_ENTER, &found);
	entry->index = nnotes;
	notes[nnotes++] = probe;
}

/*
 * Take all notes away for settling.  The array and its strings live until the
 * end of the transaction.
 */
Note *
notes_take(int *n)
{
	Note	   *taken = notes;

	*n = nnotes;
	forget_all();
	return taken;
}

/*
 * For qsort of pointers to notes of one kind: by whom they are about, and then
 * so that one that says more comes after one that says nothing.
 */
int
note_compare(const void *a, const void *b)
{
	const Note *x = *(Note *const *) a;
	const Note *y = *(Note *const *) b;
	int			c;

	if (x->tenant_id != y->tenant_id)
		return x->tenant_id < y->tenant_id ? -1 : 1;
	c = strcmp(x->a, y->a);
	return c != 0 ? c : strcmp(x->b, y->b);
}

bool
notes_any(void)
{
	return nnotes > 0;
}

/* True once if something is noted and no settlement is queued for it. */
bool
notes_arm(void)
{
	if (nnotes == 0 || armed != InvalidSubTransactionId)
		return false;
	armed = GetCurrentSubTransactionId();
	return true;
}

/* The queued settlement has come. */
void
notes_disarm(void)
{
	armed = InvalidSubTransactionId;
}

static void
at_xact_end(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:
			/*
			 * A settlement that settle_due() was told to be queued has not
			 * come; unless the extension went, and its triggers with it.
			 */
			if (nnotes > 0 && armed != InvalidSubTransactionId &&
				OidIsValid(get_extension_oid("routing", true)))
				ereport(ERROR,
						(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						 errmsg("changes of this transaction were not settled"),
						 errhint("settle_due() and note_change() are for triggers; do not call them yourself.")));
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
		case XACT_EVENT_PARALLEL_COMMIT:
		case XACT_EVENT_PARALLEL_ABORT:
			forget_all();
			armed = InvalidSubTransactionId;
			engine_writing = 0;
			break;
		default:
			break;
	}
}

static void
at_subxact_end(SubXactEvent event, SubTransactionId mine,
			   SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_COMMIT_SUB)
	{
		/* notes of a subtransaction stand at the end of the array */
		for (int i = nnotes - 1; i >= 0 && notes[i].subid >= mine; i--)
			notes[i].subid = parent;
		if (armed != InvalidSubTransactionId && armed >= mine)
			armed = parent;
	}
	else if (event == SUBXACT_EVENT_ABORT_SUB)
	{
		while (nnotes > 0 && notes[nnotes - 1].subid >= mine)
		{
			hash_search(known, &notes[nnotes - 1], HASH_REMOVE, NULL);
			nnotes--;
		}
		if (armed != InvalidSubTransactionId && armed >= mine)
			armed = InvalidSubTransactionId;
	}
}

void
notes_install_callbacks(void)
{
	RegisterXactCallback(at_xact_end, NULL);
	RegisterSubXactCallback(at_subxact_end, NULL);
}
