package runtime_test

import (
	"encoding/binary"
	"strings"
	"testing"

	. "github.com/wasmagent/wasmagent/internal/wasmtest"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime"
)

// TestInput waits for standard input, reads it in parts, and goes on at its end.
func TestInput(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ input, first, second, third string }{
		{"", "", "", ""},
		{"one", "one", "", ""},
		{"oneline", "onel", "ine", ""},
		{"oneline and more", "onel", "ine ", "and "},
	} {
		s := new(script)
		const room = scriptRoom + 128
		vector := s.place(string(binary.LittleEndian.AppendUint64(nil, room|4<<32)))
		list := s.place(waiting(onRead, 0, 0))
		for range 3 {
			s.call("poll_oneoff", list, scriptRoom, 1, scriptRoom+32).dump(scriptRoom+8, 2).dump(scriptRoom+32, 4)
			s.call("fd_read", 0, vector, 1, scriptRoom+64).dump(scriptRoom+64, 4).dump(room, 4)
		}
		// The room keeps what an earlier call has read.
		read, left := "", "\x00\x00\x00\x00"
		for _, part := range []string{row.first, row.second, row.third} {
			left = part + left[len(part):]
			read += "\x00\x00\x00\x00" + "\x00\x00" + "\x01\x00\x00\x00" // one event, and no error
			read += "\x00\x00\x00\x00" + string(rune(len(part))) + "\x00\x00\x00" + left
		}
		for engine, e := range engines(t) {
			out, err := program(t, e, s.wasm()).Run(t.Context(), runtime.Guest{Input: []byte(row.input)})
			if err != nil || string(out.Stdout) != read {
				t.Errorf("%s: of %q it read %q, %v; want %q", engine, row.input, out.Stdout, err, read)
			}
		}
	}
}

// TestInputIsWhole hands a guest more than it reads at once, and other runs none
// of it.
func TestInputIsWhole(t *testing.T) {
	t.Parallel()
	input := strings.Repeat("0123456789abcde\n", 1<<16)
	for engine, e := range engines(t) {
		p := program(t, e, Copy())
		for _, input := range []string{input, "", "short"} {
			out, err := p.Run(t.Context(), runtime.Guest{Input: []byte(input), Limits: policy.Limits{Output: policy.Bytes(len(input) + 1)}})
			if err != nil || string(out.Stdout) != input {
				t.Errorf("%s: %d bytes came back as %d, %v", engine, len(input), len(out.Stdout), err)
			}
		}
	}
}

// TestInputCannotBeWrittenTo tries to, and to look for more than its bytes.
func TestInputCannotBeWrittenTo(t *testing.T) {
	t.Parallel()
	s := new(script)
	vector := s.place(string(binary.LittleEndian.AppendUint64(nil, scriptRoom|4<<32)))
	s.call("fd_write", 0, vector, 1, scriptRoom+64).call("fd_pread", 0, vector, 1, int64(1), scriptRoom+64).
		call("fd_seek", 0, int64(0), 0, scriptRoom+64).call("fd_filestat_set_size", 0, int64(0))
	input := []byte("input")
	for engine, e := range engines(t) {
		out, err := program(t, e, s.wasm()).Run(t.Context(), runtime.Guest{Input: input})
		for i, got := range errnos(t, out) {
			if err != nil || got == 0 || string(input) != "input" {
				t.Errorf("%s: call %d has errno %d, %v", engine, i, got, err)
			}
		}
	}
}
