package instance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// FieldError says what is wrong with the file, at which line and column or in which field.
type FieldError struct {
	File         string
	Line, Column int    // both from 1; 0: the field says where
	Field        string // as in Packages[0]
	Err          error
}

func (e *FieldError) Error() string {
	where := e.File
	if e.Line > 0 {
		where = fmt.Sprintf("%s:%d:%d", e.File, e.Line, e.Column)
	}
	if e.Field != "" {
		where += ": " + e.Field
	}
	return where + ": " + e.Err.Error()
}

func (e *FieldError) Unwrap() error { return e.Err }

// Parse reads the text of the file. The error is a [*FieldError] with line and column.
func Parse(file string, data []byte) (*Config, error) {
	at := func(offset int64, field string, err error) error {
		line, column := position(data, offset)
		return &FieldError{File: file, Line: line, Column: column, Field: field, Err: err}
	}
	c := &Config{Path: file}
	if err := json.Unmarshal(data, c); err != nil {
		if bad, ok := errors.AsType[*json.SyntaxError](err); ok {
			// Its offset is one past the character in question.
			return nil, at(max(0, bad.Offset-1), "", errors.New(bad.Error()))
		}
		if bad, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return nil, at(bad.Offset, bad.Field, fmt.Errorf("a JSON %s, want %s", bad.Value, inWords(bad.Type)))
		}
		return nil, at(0, "", err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if offset, field, err := unknown(d, reflect.TypeFor[Config](), ""); err != nil {
		return nil, at(offset, field, err)
	}
	return c, nil
}

// position returns the line and column of an offset, both from 1.
func position(data []byte, offset int64) (line, column int) {
	before := data[:min(int(offset), len(data))]
	return bytes.Count(before, []byte("\n")) + 1, len(before) - (bytes.LastIndexByte(before, '\n') + 1) + 1
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

// unknown reads one value from d, which is known to be well-formed and of type t, and finds the first field that t does
// not have. It walks the tokens itself because the decoder's own complaint says neither where nor what there is.
func unknown(d *json.Decoder, t reflect.Type, path string) (offset int64, field string, err error) {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	token, err := d.Token()
	if err != nil {
		return d.InputOffset(), path, err
	}
	switch token {
	case json.Delim('['):
		for i := 0; d.More(); i++ {
			if offset, field, err := unknown(d, elem(t), fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return offset, field, err
			}
		}
		_, err = d.Token()
	case json.Delim('{'):
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return d.InputOffset(), path, err
			}
			name := key.(string)
			inner, sub := elem(t), fmt.Sprintf("%s[%q]", path, name)
			if t != nil && t.Kind() == reflect.Struct {
				sub = strings.TrimPrefix(path+"."+name, ".")
				known := fields(t)
				var ok bool
				if inner, ok = known[strings.ToLower(name)]; !ok {
					return d.InputOffset() - int64(len(name)) - 2, sub, fmt.Errorf("no such field, want one of %s", names(t))
				}
			}
			if offset, field, err := unknown(d, inner, sub); err != nil {
				return offset, field, err
			}
		}
		_, err = d.Token()
	}
	return d.InputOffset(), path, err
}

func elem(t reflect.Type) reflect.Type {
	if t != nil && (t.Kind() == reflect.Slice || t.Kind() == reflect.Map) {
		return t.Elem()
	}
	return nil
}

// fields returns a struct's fields by their names in JSON, in lower case: encoding/json ignores the case too.
func fields(t reflect.Type) map[string]reflect.Type {
	m := map[string]reflect.Type{}
	for f := range t.Fields() {
		if f.Tag.Get("json") != "-" {
			m[strings.ToLower(f.Name)] = f.Type
		}
	}
	return m
}

func names(t reflect.Type) string {
	m := map[string]bool{}
	for f := range t.Fields() {
		if f.Tag.Get("json") != "-" {
			m[f.Name] = true
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(m)), ", ")
}
