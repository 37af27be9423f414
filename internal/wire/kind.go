package wire

import (
	"bytes"
	"math"
	"strconv"
)

// Kind is the type that a key's value must have.
type Kind uint8

// The kinds, the Go types of fields that they are decoded into, and the fields' tag wire.
const (
	Skipped     Kind = iota // any value; only the presence of the key counts
	String                  // a string, *string
	Identifier              // a string or an integer, *string, wire:"identifier"
	Int32                   // an integer of 32 bits, *int32
	Int64                   // an integer of 64 bits, *int64
	IntegerText             // an integer of 32 bits, as a string or a number, *int32, wire:"text"
	Gigabytes               // a number of gigabytes; the *int32 is in megabytes, wire:"gigabytes"
	Boolean                 // true or false, bool or *bool
	Object                  // an object, a pointer to a struct
	Strings                 // a list of strings, []string
	Objects                 // a list of objects, a slice of structs
)

// String describes the kind, such as "an integer of 32 bits".
func (k Kind) String() string {
	return [...]string{
		Skipped:     "anything",
		String:      "a string",
		Identifier:  "a string or an integer",
		Int32:       "an integer of 32 bits",
		Int64:       "an integer of 64 bits",
		IntegerText: "an integer of 32 bits as a string",
		Gigabytes:   "a number of gigabytes",
		Boolean:     "true or false",
		Object:      "an object",
		Strings:     "a list",
		Objects:     "a list",
	}[k]
}

// StartsWith reports whether a value of the kind can start with c.
func (k Kind) StartsWith(c byte) bool {
	switch k {
	case String:
		return c == '"'
	case Identifier, IntegerText:
		return c == '"' || StartsNumber(c)
	case Int32, Int64, Gigabytes:
		return StartsNumber(c)
	case Boolean:
		return c == 't' || c == 'f'
	case Object:
		return c == '{'
	case Strings, Objects:
		return c == '['
	case Skipped:
	}
	return true
}

// StartsNumber reports whether a number can start with c.
func StartsNumber(c byte) bool { return c == '-' || '0' <= c && c <= '9' }

// Integer returns the integer that a JSON value of the kind stands for, and whether it has one. The
// value is a number, or for an [IntegerText] a string with its quotes.
func (k Kind) Integer(value []byte) (n int64, ok bool) {
	if k == IntegerText && value[0] == '"' {
		if value = value[1 : len(value)-1]; bytes.IndexByte(value, '\\') >= 0 {
			value = AppendUnescaped(nil, value)
		}
		if !isNumber(value) {
			return 0, false
		}
	}
	if k == Gigabytes {
		n, ok = megabytes(value)
	} else {
		n, ok = Integer(value)
	}
	return n, ok && (k == Int64 || k == Identifier || n == int64(int32(n)))
}

// isNumber reports whether b is a JSON number.
func isNumber(b []byte) bool {
	s := Scanner{Data: b}
	_, ok := s.Number()
	return ok && s.Pos == len(b)
}

// megabytes returns a number of gigabytes in megabytes, rounded.
func megabytes(number []byte) (n int64, ok bool) {
	whole, fraction, _ := bytes.Cut(number, []byte("."))
	if len(whole) < 9 && len(bytes.TrimLeft(fraction, "0")) == 0 {
		if n, ok = Integer(whole); ok {
			return 1024 * n, true
		}
	}
	gigabytes, err := strconv.ParseFloat(string(number), 64)
	if err != nil || math.Abs(gigabytes) > math.MaxInt32 {
		return 0, false
	}
	return int64(math.Round(1024 * gigabytes)), true
}

// Element returns the kind of a list's elements.
func (k Kind) Element() Kind {
	if k == Objects {
		return Object
	}
	return String
}
