package pyvalue

// The hash table in dicts and sets. A Go map would not do: keys may be of types that Go cannot
// hash, equality is Python's (1 == 1.0), and the order of insertion counts.

import (
	"hash/maphash"
	"slices"

	"github.com/go-python/gpython/py"
)

// table is the hash table in dicts and sets: entries in insertion order, found through an
// open-addressed index.
type table struct {
	entries []entry
	index   []uint32 // positions in entries plus one; nil while entries are few
	dead    int      // how many entries are deleted
	version int      // counts changes of the keys, so that an iteration notices them

	ns   *namespace // whose names the str keys are, in a dict that is a view (namespace.go), or nil
	seen int        // the namespace's changes when entries were made
}

type entry struct {
	hash       int64
	key, value py.Object // key is nil in a deleted entry
}

// few is how many entries are searched one by one.
const few = 8

// spread makes positions out of hashes, so that nobody can choose keys that collide.
var spread = maphash.MakeSeed()

func (t *table) len() int {
	t.sync()
	return len(t.entries) - t.dead
}

// find returns the position of key in entries, or -1.
func (t *table) find(key py.Object) (int, error) {
	t.sync()
	h, err := hash(key)
	if err != nil {
		return -1, err
	}
	_, i, err := t.probe(h, key)
	return i, err
}

// probe looks for key. When it is absent, i is -1 and slot is where its position belongs in the
// index.
func (t *table) probe(h int64, key py.Object) (slot, i int, err error) {
	if t.index == nil {
		for i := range t.entries {
			if same, err := t.holds(i, h, key); same || err != nil {
				return 0, i, err
			}
		}
		return 0, -1, nil
	}
	mask := len(t.index) - 1
	for slot = int(maphash.Comparable(spread, h)) & mask; ; slot = (slot + 1) & mask {
		i = int(t.index[slot]) - 1
		if i < 0 {
			return slot, -1, nil
		}
		if same, err := t.holds(i, h, key); same || err != nil {
			return slot, i, err
		}
	}
}

func (t *table) holds(i int, h int64, key py.Object) (bool, error) {
	e := t.entries[i]
	if e.key == nil || e.hash != h {
		return false, nil
	}
	return sameOrEqual(e.key, key)
}

func (t *table) get(key py.Object) (py.Object, bool, error) {
	if name, ok := t.name(key); ok {
		value, ok := t.ns.names[name]
		return value, ok, nil
	}
	i, err := t.find(key)
	if i < 0 || err != nil {
		return nil, false, err
	}
	return t.entries[i].value, true, nil
}

// put stores value under key; an equal key keeps its place and its first form.
func (t *table) put(key, value py.Object) error {
	if name, ok := t.name(key); ok {
		SetName(t.ns.names, name, value)
		return nil
	}
	t.sync()
	h, err := hash(key)
	if err != nil {
		return err
	}
	slot, i, err := t.probe(h, key)
	if err != nil {
		return err
	}
	if i >= 0 {
		t.entries[i].value = value
		return nil
	}
	t.version++
	t.entries = append(t.entries, entry{h, key, value})
	if t.index != nil {
		t.index[slot] = uint32(len(t.entries))
	}
	if n := len(t.entries); t.index == nil && n > few || n > len(t.index)/4*3 && t.index != nil {
		t.rebuild()
	}
	return nil
}

// remove deletes key and returns its value, and whether it was present.
func (t *table) remove(key py.Object) (py.Object, bool, error) {
	i, err := t.find(key)
	if i < 0 || err != nil {
		return nil, false, err
	}
	value := t.entries[i].value
	t.removeAt(i)
	return value, true, nil
}

func (t *table) removeAt(i int) {
	if name, ok := t.name(t.entries[i].key); ok {
		DeleteName(t.ns.names, name)
		return
	}
	t.version++
	t.entries[i] = entry{}
	t.dead++
	if t.dead > len(t.entries)/2 {
		t.rebuild()
	}
}

func (t *table) clear() {
	if t.ns != nil {
		for _, name := range slices.Clone(t.ns.inOrder()) {
			DeleteName(t.ns.names, name)
		}
	}
	*t = table{version: t.version + 1, ns: t.ns, seen: -1}
}

func (t *table) clone() table {
	t.sync()
	c := table{entries: make([]entry, 0, t.len()), dead: 0}
	for _, e := range t.entries {
		if e.key != nil {
			c.entries = append(c.entries, e)
		}
	}
	c.rebuild()
	return c
}

// all returns the entries, with the deleted ones.
func (t *table) all() []entry {
	t.sync()
	return t.entries
}

// rebuild drops the deleted entries and makes the index anew, or drops it when entries are few.
func (t *table) rebuild() {
	if t.dead > 0 {
		live := make([]entry, 0, t.len())
		for _, e := range t.entries {
			if e.key != nil {
				live = append(live, e)
			}
		}
		t.entries, t.dead = live, 0
	}
	if len(t.entries) <= few {
		t.index = nil
		return
	}
	size := 16
	for size/2 < len(t.entries) {
		size *= 2
	}
	t.index = make([]uint32, size)
	for i, e := range t.entries {
		slot := int(maphash.Comparable(spread, e.hash)) & (size - 1)
		for t.index[slot] != 0 {
			slot = (slot + 1) & (size - 1)
		}
		t.index[slot] = uint32(i + 1)
	}
}

// keys returns the keys in order, as a new slice.
func (t *table) keys() []py.Object {
	keys := make([]py.Object, 0, t.len()) // len syncs
	for _, e := range t.entries {
		if e.key != nil {
			keys = append(keys, e.key)
		}
	}
	return keys
}

// addAll puts all keys of other.
func (t *table) addAll(other *table) error {
	other.sync()
	for _, e := range other.entries {
		if e.key != nil {
			if err := t.put(e.key, e.value); err != nil {
				return err
			}
		}
	}
	return nil
}

// walk is an iteration over a table. If the table's keys change meanwhile it fails, as Python's
// iterators do.
type walk struct {
	t       *table
	pos     int
	version int
	what    string // "dictionary" or "Set"
}

func (t *table) walk(what string) *walk {
	t.sync()
	return &walk{t: t, version: t.version, what: what}
}

func (w *walk) next() (entry, error) {
	if w.t == nil {
		return entry{}, py.StopIteration
	}
	w.t.sync()
	if w.version != w.t.version {
		return entry{}, py.ExceptionNewf(py.RuntimeError, "%s changed size during iteration", w.what)
	}
	for w.pos < len(w.t.entries) {
		e := w.t.entries[w.pos]
		w.pos++
		if e.key != nil {
			return e, nil
		}
	}
	w.t = nil
	return entry{}, py.StopIteration
}
