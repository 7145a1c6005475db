package prepare

// encode writes a module.
func encode(m *module) []byte {
	out := []byte("\x00asm\x01\x00\x00\x00")
	out = appendSection(out, 1, m.types, appendSignature)
	out = appendSection(out, 2, m.imports, appendImport)
	out = appendSection(out, 3, m.functions, appendUnsigned)
	out = appendSection(out, 4, m.tables, appendTable)
	out = appendSection(out, 5, m.memories, appendSize)
	out = appendSection(out, 6, m.globals, appendGlobal)
	out = appendSection(out, 7, m.exports, appendExport)
	out = appendNumber(out, 8, m.start)
	out = appendSection(out, 9, m.elements, appendElement)
	out = appendNumber(out, 12, m.counted)
	out = appendSection(out, 10, m.bodies, appendBody)
	return appendSection(out, 11, m.data, appendSegment)
}

// appendSection writes a section that is a vector, unless it is empty.
func appendSection[T any](out []byte, id byte, items []T, item func([]byte, T) []byte) []byte {
	if len(items) == 0 {
		return out
	}
	content := appendUnsigned(nil, uint32(len(items)))
	for _, i := range items {
		content = item(content, i)
	}
	return appendSized(append(out, id), content)
}

// appendNumber writes a section that is a number, unless there is none.
func appendNumber(out []byte, id byte, n *uint32) []byte {
	if n == nil {
		return out
	}
	return appendSized(append(out, id), appendUnsigned(nil, *n))
}

// appendSized writes bytes and their number before them.
func appendSized(out, content []byte) []byte {
	return append(appendUnsigned(out, uint32(len(content))), content...)
}

func appendSignature(out []byte, s signature) []byte {
	return appendSized(appendSized(append(out, 0x60), s.params), s.results)
}

func appendImport(out []byte, i imported) []byte {
	out = appendSized(appendSized(out, []byte(i.module)), []byte(i.name))
	return appendUnsigned(append(out, i.kind), i.index)
}

func appendTable(out []byte, t table) []byte { return appendSize(append(out, t.element), t.size) }

func appendSize(out []byte, s size) []byte {
	if !s.bounded {
		return appendUnsigned(append(out, 0), s.min)
	}
	return appendUnsigned(appendUnsigned(append(out, 1), s.min), s.max)
}

func appendGlobal(out []byte, g global) []byte {
	out = append(out, g.kind, 0)
	if g.mutable {
		out[len(out)-1] = 1
	}
	return appendConstant(out, g.value)
}

// appendConstant writes an expression of one instruction.
func appendConstant(out []byte, in instruction) []byte { return opEnd.append(in.append(out)) }

func appendExport(out []byte, e export) []byte {
	return appendUnsigned(append(appendSized(out, []byte(e.name)), e.kind), e.index)
}

func appendElement(out []byte, e element) []byte {
	out = appendUnsigned(out, e.flags)
	if e.active() && e.flags&elementExplicit != 0 {
		out = appendUnsigned(out, e.table)
	}
	if e.active() {
		out = appendConstant(out, e.offset)
	}
	if e.typed() {
		out = append(out, e.kind)
	}
	return append(appendUnsigned(out, e.count), e.entries...)
}

func appendBody(out []byte, b body) []byte {
	content := appendUnsigned(nil, uint32(len(b.locals)))
	for _, r := range b.locals {
		content = append(appendUnsigned(content, r.count), r.kind)
	}
	out = appendUnsigned(out, uint32(len(content)+len(b.code)))
	return append(append(out, content...), b.code...)
}

func appendSegment(out []byte, s segment) []byte {
	if s.passive {
		return appendSized(append(out, 1), s.bytes)
	}
	return appendSized(appendConstant(append(out, 0), s.offset), s.bytes)
}
