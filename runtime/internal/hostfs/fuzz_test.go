package hostfs_test

import (
	"path"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"

	"github.com/wasmagent/wasmagent/runtime/internal/hostfs"
)

// A node is a file or a directory of the model.
type node struct {
	dir  bool
	data string
}

// A handle is a file that is open, on the mount and in the model.
type handle struct {
	file   sys.File
	node   *node
	offset int
	append bool
}

// A model is what a mount with a quota should do.
type model struct {
	tree    map[string]*node // by path, with "." for the top
	handles []*handle
	limit   hostfs.Quota
}

// used is what counts: all nodes with a name, and those that are open.
func (m *model) used() (used hostfs.Quota) {
	nodes := map[*node]bool{}
	for _, n := range m.tree {
		nodes[n] = true
	}
	for _, h := range m.handles {
		nodes[h.node] = true
	}
	for n := range nodes {
		used.Files++
		used.Bytes += int64(len(n.data))
	}
	used.Files-- // the top
	return used
}

// under tells whether something is in a directory.
func (m *model) under(dir string) bool {
	for p := range m.tree {
		if strings.HasPrefix(p, dir+"/") {
			return true
		}
	}
	return false
}

// make puts a node where there is none.
func (m *model) make(p string, n *node) sys.Errno {
	switch above := m.tree[path.Dir(p)]; {
	case above == nil:
		return sys.ENOENT
	case !above.dir:
		return sys.ENOTDIR
	case m.tree[p] != nil:
		return sys.EEXIST
	case m.used().Files >= m.limit.Files:
		return hostfs.EDQUOT
	}
	m.tree[p] = n
	return 0
}

func (m *model) remove(p string, dir bool) sys.Errno {
	switch n := m.tree[p]; {
	case n == nil:
		return sys.ENOENT
	case dir && !n.dir:
		return sys.ENOTDIR
	case !dir && n.dir:
		return sys.EISDIR
	case m.under(p):
		return sys.ENOTEMPTY
	}
	delete(m.tree, p)
	return 0
}

func (m *model) rename(from, to string) sys.Errno {
	old, new := m.tree[from], m.tree[to]
	switch above := m.tree[path.Dir(to)]; {
	case old == nil || above == nil:
		return sys.ENOENT
	case !above.dir:
		return sys.ENOTDIR
	case from == to:
		return 0
	case strings.HasPrefix(to, from+"/"):
		return sys.EINVAL
	case new != nil && new.dir != old.dir:
		return sys.EISDIR
	case new != nil && new.dir && m.under(to):
		return sys.ENOTEMPTY
	}
	delete(m.tree, from)
	m.tree[to] = old
	for p, n := range m.tree {
		if below, found := strings.CutPrefix(p, from+"/"); found {
			delete(m.tree, p)
			m.tree[to+"/"+below] = n
		}
	}
	return 0
}

// write is what a write at an offset does: how much, and with what errno.
func (m *model) write(n *node, data string, offset int) (int, sys.Errno) {
	room := int(m.limit.Bytes - m.used().Bytes)
	if fits := max(0, len(n.data)+room-offset); data != "" && fits < len(data) {
		if fits == 0 {
			return 0, hostfs.EDQUOT
		}
		data = data[:fits]
	}
	if data == "" {
		return 0, 0
	}
	grown := n.data + strings.Repeat("\x00", max(0, offset+len(data)-len(n.data)))
	n.data = grown[:offset] + data + grown[offset+len(data):]
	return len(data), 0
}

func (m *model) truncate(n *node, size int) sys.Errno {
	growth := size - len(n.data)
	if growth > int(m.limit.Bytes-m.used().Bytes) && growth > 0 {
		return hostfs.EDQUOT
	}
	n.data = (n.data + strings.Repeat("\x00", max(0, growth)))[:size]
	return 0
}

// paths are those that the fuzzer uses.
var paths = []string{"a", "b", "d", "d/a", "d/b", "d/e", "d/e/a", "e"}

// FuzzOperations does the same on a mount and on the model: four bytes are one
// operation.
func FuzzOperations(f *testing.F) {
	for _, seed := range []string{
		"\x00\x00\x00\x00\x01\x00\x40\x00\x02\x00\x00\x00",
		"\x06\x02\x00\x00\x00\x03\x00\x00\x01\x00\xff\x00\x01\x00\xff\x00\x07\x03\x00\x00\x05\x00\x00\x00",
		"\x00\x00\x00\x00\x01\x00\x10\x00\x00\x01\x00\x00\x01\x01\x20\x00\x09\x00\x01\x00\x05\x01\x00\x00",
		"\x06\x02\x00\x00\x06\x05\x00\x00\x06\x07\x00\x00\x09\x02\x07\x00\x08\x02\x00\x00\x08\x07\x00\x00",
		"\x00\x00\x00\x00\x03\x00\x80\x00\x04\x00\xf0\xff\x02\x00\x10\x30\x07\x00\x00\x00\x01\x00\x20\x00",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, ops []byte) {
		top := t.TempDir()
		model := &model{tree: map[string]*node{".": {dir: true}}, limit: hostfs.Quota{Bytes: 300, Files: 5}}
		d := open(t, top, hostfs.Options{Writable: true, Quota: &model.limit})
		fs := d.FS(run())
		for ; len(ops) >= 4; ops = ops[4:] {
			model.step(t, fs, ops[0], ops[1], int(ops[2]), ops[3])
			if used := d.Used(); used != model.used() || used.Bytes > model.limit.Bytes || used.Files > model.limit.Files {
				t.Fatalf("after %v: counted %+v; want %+v", ops[:4], used, model.used())
			}
		}
		for _, h := range model.handles {
			h.file.Close()
		}
		model.handles = nil
		model.compare(t, top)
		if used := open(t, top, hostfs.Options{Writable: true, Quota: &model.limit}).Used(); used != model.used() || used != d.Used() {
			t.Fatalf("counted %+v, and again %+v; want %+v", d.Used(), used, model.used())
		}
	})
}

// compare has the directory hold what the model holds.
func (m *model) compare(t *testing.T, top string) {
	t.Helper()
	found := harvest(t, top)
	for p, n := range m.tree {
		if n.dir {
			p += "/"
		}
		if content, there := found[p]; p != "./" && (!there || content != n.data) {
			t.Fatalf("%s is %q, %v; want %q", p, content, there, n.data)
		}
	}
	if len(found) != len(m.tree)-1 {
		t.Fatalf("found %d; want %d", len(found), len(m.tree)-1)
	}
}

// step does one operation on both.
func (m *model) step(t *testing.T, fs sys.FS, op, which byte, n int, more byte) {
	p := paths[int(which)%len(paths)]
	var h *handle
	if len(m.handles) > 0 {
		h = m.handles[int(which)%len(m.handles)]
	}
	var got, want sys.Errno
	switch op %= 10; {
	case op == 0:
		got, want = m.open(fs, p, more)
	case op == 6:
		got, want = fs.Mkdir(p, 0), m.make(p, &node{dir: true})
	case op == 7:
		got, want = fs.Unlink(p), m.remove(p, false)
	case op == 8:
		got, want = fs.Rmdir(p), m.remove(p, true)
	case op == 9:
		to := paths[n%len(paths)]
		got, want = fs.Rename(p, to), m.rename(p, to)
	case h != nil:
		got, want = m.use(t, h, op, n, int(more))
	}
	if (got == 0) != (want == 0) || (got == hostfs.EDQUOT) != (want == hostfs.EDQUOT) {
		t.Fatalf("operation %d, %s, %d, %d: %v; want %v", op, p, n, more, got, want)
	}
}

func (m *model) open(fs sys.FS, p string, more byte) (got, want sys.Errno) {
	flag := sys.O_RDWR | sys.O_CREAT
	if more&1 != 0 {
		flag |= sys.O_TRUNC
	}
	if more&2 != 0 {
		flag |= sys.O_APPEND
	}
	file, got := fs.OpenFile(p, flag, 0)
	n := m.tree[p]
	switch {
	case n != nil && n.dir:
		want = sys.EISDIR
	case n == nil:
		n = &node{}
		want = m.make(p, n)
	case more&1 != 0:
		n.data = ""
	}
	if got == 0 {
		m.handles = append(m.handles, &handle{file: file, node: n, append: more&2 != 0})
	}
	return got, want
}

// use does something with an open file.
func (m *model) use(t *testing.T, h *handle, op byte, n, more int) (got, want sys.Errno) {
	data := strings.Repeat("x", n)
	var wrote, fits int
	switch op {
	case 1:
		if wrote, got = h.file.Write([]byte(data)); h.append {
			h.offset = len(h.node.data)
		}
		fits, want = m.write(h.node, data, h.offset)
		h.offset += fits
	case 2:
		wrote, got = h.file.Pwrite([]byte(data), int64(more))
		fits, want = m.write(h.node, data, more)
	case 3:
		got, want = h.file.Truncate(int64(n+more)), m.truncate(h.node, n+more)
	case 4:
		buf := make([]byte, 1000)
		n, errno := h.file.Pread(buf, 0)
		if string(buf[:n]) != h.node.data || errno != 0 {
			t.Fatalf("read %q, %v; want %q", buf[:n], errno, h.node.data)
		}
	case 5:
		h.file.Close()
		for i := range m.handles {
			if m.handles[i] == h {
				m.handles = append(m.handles[:i], m.handles[i+1:]...)
				break
			}
		}
	}
	if wrote != fits {
		t.Fatalf("wrote %d bytes; want %d", wrote, fits)
	}
	return got, want
}
