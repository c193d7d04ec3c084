package serializer

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
)

// field is a struct field that is serialized.
type field struct {
	name      string
	index     []int // for reflect.Value.FieldByIndex
	typ       reflect.Type
	omitEmpty bool
	tagged    bool
}

// structFields lists the fields of t that are serialized, in the order of the source. Embedded
// structs count as in encoding/json: their fields are fields of t, unless the embedded struct has a
// name in its tag. Of several fields with one name the least nested counts, of equally nested ones
// the tagged one, and if that leaves several, none.
func structFields(t reflect.Type) []field {
	var all []field
	collectFields(t, nil, map[reflect.Type]bool{}, &all)
	byName := map[string][]field{}
	for _, f := range all {
		byName[f.name] = append(byName[f.name], f)
	}
	return slices.DeleteFunc(all, func(f field) bool {
		for _, other := range byName[f.name] {
			if slices.Equal(f.index, other.index) {
				continue
			}
			nested := cmp.Compare(len(other.index), len(f.index))
			if nested < 0 || nested == 0 && (other.tagged || !f.tagged) {
				return true
			}
		}
		return false
	})
}

// FieldNames returns the keys of the dict that a struct of type t is serialized as, in the order of
// its fields. Programs have no need of it; this module checks names of arguments with it.
func FieldNames(t reflect.Type) []string {
	fields := structFields(t)
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	return names
}

func collectFields(t reflect.Type, at []int, within map[reflect.Type]bool, all *[]field) {
	within[t] = true // t may embed a pointer to itself
	defer delete(within, t)
	for i := range t.NumField() {
		sf := t.Field(i)
		tag, ours := sf.Tag.Lookup("execnet")
		if !ours {
			tag = sf.Tag.Get("json")
		}
		if tag == "-" {
			continue
		}
		name, rest, _ := strings.Cut(tag, ",")
		index := append(slices.Clone(at), i)
		if sf.Anonymous && name == "" {
			embedded := sf.Type
			if embedded.Kind() == reflect.Pointer {
				embedded = embedded.Elem()
			}
			if embedded.Kind() == reflect.Struct && !isOpaque(sf.Type) {
				if !sf.IsExported() && sf.Type.Kind() == reflect.Pointer || within[embedded] {
					continue
				}
				before := len(*all)
				collectFields(embedded, index, within, all)
				if len(*all) > before || embedded.NumField() == 0 || !sf.IsExported() {
					continue
				}
				// None of its fields is exported, as with time.Time. It becomes a field, which is
				// then an error, since otherwise it would be left out without a word.
			}
		}
		if !sf.IsExported() {
			continue
		}
		f := field{name: name, index: index, typ: sf.Type, tagged: name != ""}
		if name == "" {
			f.name = sf.Name
		}
		for option := range strings.SplitSeq(rest, ",") {
			f.omitEmpty = f.omitEmpty || option == "omitempty"
		}
		*all = append(*all, f)
	}
}

// isStrict reports whether t has a field such as _ struct{} with the tag `execnet:",strict"`.
func isStrict(t reflect.Type) bool {
	for i := range t.NumField() {
		if sf := t.Field(i); sf.Name == "_" {
			_, options, _ := strings.Cut(sf.Tag.Get("execnet"), ",")
			if slices.Contains(strings.Split(options, ","), "strict") {
				return true
			}
		}
	}
	return false
}

// isOpaque reports whether a struct type is serialized as something else than its fields.
func isOpaque(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t {
	case bigIntType, dictType, setType, frozenSetType:
		return true
	}
	p := reflect.PointerTo(t)
	return p.Implements(marshalerType) || p.Implements(unmarshalerType) || p.Implements(channelType)
}

// isEmpty reports whether omitempty leaves v out.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}
