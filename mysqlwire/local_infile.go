package mysqlwire

// LocalInfile asks the client for the contents of a file.
type LocalInfile struct{ Name string }

func (m *LocalInfile) Kind() Kind { return KindLocalInfile }
func (m *LocalInfile) Decode(src []byte, cx *Context) error {
	*m = LocalInfile{}
	return decode(m, src, cx)
}
func (m *LocalInfile) fromServer() {}

func (m *LocalInfile) decode(c *cursor, _ *Context) {
	c.tag("header", 0xfb)
	m.Name = c.restText("filename")
}

func (m *LocalInfile) Encode(dst []byte, _ *Context) ([]byte, error) {
	return append(append(dst, 0xfb), m.Name...), nil
}

// FileData is a piece of the file that LocalInfile asked for. An empty one ends it.
type FileData struct{ Data []byte }

func (m *FileData) Kind() Kind                           { return KindFileData }
func (m *FileData) Decode(src []byte, cx *Context) error { *m = FileData{}; return decode(m, src, cx) }

func (m *FileData) Encode(dst []byte, _ *Context) ([]byte, error) { return append(dst, m.Data...), nil }
func (m *FileData) fromClient()                                   {}

func (m *FileData) decode(c *cursor, _ *Context) { m.Data = c.rest("data") }
