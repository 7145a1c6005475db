package config

import (
	"encoding"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"
)

// A Setting is one key with what holds for it, written for people.
type Setting struct {
	// Table is where it is, such as "/modules/web"; "/" is before all tables.
	Table, Key, Value string
	// Secret is whether the value is left out, for it may be one.
	Secret bool
}

// Settings lists all keys, those that have their defaults included.
func (c Config) Settings() []Setting { return settings("/", reflect.ValueOf(c)) }

// settings lists the keys of a table: first its own, then those of the tables in it.
func settings(table string, v reflect.Value) (list []Setting) {
	var below []Setting
	for key, value := range entries(v) {
		if isTable(value) {
			below = append(below, settings(path.Join(table, strings.ReplaceAll(key, "/", "\\")), value)...)
			continue
		}
		text, secret := settingText(value)
		list = append(list, Setting{table, key, text, secret})
	}
	return append(list, below...)
}

// entries goes through the keys of a struct in its order, or of a map.
func entries(v reflect.Value) func(yield func(string, reflect.Value) bool) {
	return func(yield func(string, reflect.Value) bool) {
		if v.Kind() == reflect.Map {
			for _, key := range slices.SortedFunc(slices.Values(v.MapKeys()), func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) }) {
				if !yield(key.String(), v.MapIndex(key)) {
					return
				}
			}
			return
		}
		fields(v, yield)
	}
}

// fields goes through the keys of a struct, those of embedded ones included.
func fields(v reflect.Value, yield func(string, reflect.Value) bool) bool {
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("toml")
		switch {
		case v.Type().Field(i).Anonymous:
			if !fields(v.Field(i), yield) {
				return false
			}
		case key != "-" && key != "" && !yield(key, v.Field(i)):
			return false
		}
	}
	return true
}

// isTable tells whether a value has keys of its own.
func isTable(v reflect.Value) bool {
	switch v.Interface().(type) {
	case Value, CA, encoding.TextMarshaler, fmt.Stringer:
		return false
	}
	return v.Kind() == reflect.Struct || v.Kind() == reflect.Map
}

// settingText is a value as a text.
func settingText(v reflect.Value) (text string, secret bool) {
	switch value := v.Interface().(type) {
	case Value:
		return "", true
	case CA:
		return value.File, false
	case CommandLine:
		return "", true // whose arguments may be passwords
	case interface{ Strings() []string }:
		return strings.Join(value.Strings(), ", "), false
	}
	if v.Kind() == reflect.Slice {
		var items []string
		for i := range v.Len() {
			items = append(items, fmt.Sprint(v.Index(i)))
		}
		return strings.Join(items, ", "), false
	}
	return fmt.Sprint(v), false
}

// Keeping is a configuration with what takes effect only when the agent starts as it
// was then, and the keys of that, as far as they differ.
func (c Config) Keeping(started Config) (Config, []string) {
	var keys []string
	have, was := fieldsOf(&c), fieldsOf(&started)
	for _, key := range []string{"audit", "directories", "native", "providers", "runs", "user", "users"} {
		now, then := reflect.ValueOf(have[key]).Elem(), reflect.ValueOf(was[key]).Elem()
		if !reflect.DeepEqual(now.Interface(), then.Interface()) {
			keys = append(keys, key)
			now.Set(then)
		}
	}
	return c, keys
}
