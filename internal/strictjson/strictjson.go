// Package strictjson reads JSON that people write by hand: an unknown field is an error, and every error says at which
// line and column, and what was expected there.
//
// It is for small files with settings, not for what programs send each other. Values are matched as [encoding/json] has it.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Error says what is wrong with a file, at which line and column or in which field.
type Error struct {
	File         string
	Line, Column int    // both from 1; 0: only the field is known
	Field        string // as in Packages[0]
	Err          error
}

func (e *Error) Error() string {
	where := e.File
	if e.Line > 0 {
		where = fmt.Sprintf("%s:%d:%d", e.File, e.Line, e.Column)
	}
	if e.Field != "" {
		where += ": " + e.Field
	}
	return where + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// Unmarshal reads the text of the named file into v, a pointer to a struct. A byte order mark, which Windows' editors
// like to write, is no error. The error is an [*Error] with line and column.
func Unmarshal(file string, data []byte, v any) error {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	at := func(offset int64, field string, err error) error {
		line, column := position(data, offset)
		return &Error{File: file, Line: line, Column: column, Field: field, Err: err}
	}
	if err := json.Unmarshal(data, v); err != nil {
		if bad, ok := errors.AsType[*json.SyntaxError](err); ok {
			// Its offset is one past the character in question.
			return at(max(0, bad.Offset-1), "", errors.New(bad.Error()))
		}
		if bad, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return at(bad.Offset, bad.Field, fmt.Errorf("a JSON %s, want %s", bad.Value, inWords(bad.Type)))
		}
		return at(0, "", err)
	}
	w := walker{json.NewDecoder(bytes.NewReader(data)), data}
	if offset, field, err := w.unknown(reflect.TypeOf(v), ""); err != nil {
		return at(offset, field, err)
	}
	return nil
}

// position returns the line and column of an offset, both from 1.
func position(data []byte, offset int64) (line, column int) {
	before := data[:min(int(offset), len(data))]
	return bytes.Count(before, []byte("\n")) + 1, len(before) - bytes.LastIndexByte(before, '\n')
}

// inWords names a Go type as someone who writes JSON calls it.
func inWords(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return inWords(t.Elem())
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	}
	return "a number"
}

// walker reads well-formed JSON token by token, because the decoder's own complaint about a field says neither where it is
// nor what there is.
type walker struct {
	*json.Decoder
	data []byte
}

// unknown reads one value of type t and finds the first field that t does not have.
func (w walker) unknown(t reflect.Type, path string) (offset int64, field string, err error) {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	token, err := w.Token()
	if err != nil {
		return w.InputOffset(), path, err
	}
	switch token {
	case json.Delim('['):
		for i := 0; w.More(); i++ {
			if offset, field, err := w.unknown(elem(t), fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return offset, field, err
			}
		}
		_, err = w.Token()
	case json.Delim('{'):
		for w.More() {
			if offset, field, err := w.member(t, path); err != nil {
				return offset, field, err
			}
		}
		_, err = w.Token()
	}
	return w.InputOffset(), path, err
}

// member reads one member of an object.
func (w walker) member(t reflect.Type, path string) (offset int64, field string, err error) {
	offset = w.InputOffset()
	offset += int64(max(0, bytes.IndexByte(w.data[offset:], '"')))
	token, err := w.Token()
	if err != nil {
		return offset, path, err
	}
	key, _ := token.(string)
	inner, sub := elem(t), fmt.Sprintf("%s[%q]", path, key)
	if t != nil && t.Kind() == reflect.Struct {
		sub = strings.TrimPrefix(path+"."+key, ".")
		names, types := fields(t)
		i := slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(n, key) })
		if i < 0 {
			slices.Sort(names)
			return offset, sub, fmt.Errorf("no such field, want one of %s", strings.Join(names, ", "))
		}
		inner = types[i]
	}
	return w.unknown(inner, sub)
}

func elem(t reflect.Type) reflect.Type {
	if t != nil && (t.Kind() == reflect.Slice || t.Kind() == reflect.Map) {
		return t.Elem()
	}
	return nil
}

// fields returns the names that a struct's fields have in JSON, and their types.
func fields(t reflect.Type) (names []string, types []reflect.Type) {
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-" || !f.IsExported():
			continue
		case name == "":
			name = f.Name
		}
		names, types = append(names, name), append(types, f.Type)
	}
	return names, types
}
