// Package corpus keeps conversations with real servers, as text (see wiretext): a folder of testdata
// for every server line, a file for every topic and set of capabilities. Its test asks of every packet
// that the tracker explains it, that it decodes and encodes to the same bytes, and that its fields
// cover it without gap.
//
// What is in it was recorded by corpus/capture, which can record it again; it is reviewed like code.
// Other packages' tests may read it with Files and Load.
package corpus

import (
	"embed"
	"fmt"
	"io/fs"

	"mydbg/mysqlwire/wiretext"
)

//go:embed testdata
var files embed.FS

// Files lists all conversations, "mariadb/queries-plain" for example.
func Files() []string {
	var names []string
	paths, err := fs.Glob(files, "testdata/*/*.txt")
	if err != nil {
		panic(err) // the pattern is wrong
	}
	for _, p := range paths {
		names = append(names, p[len("testdata/"):len(p)-len(".txt")])
	}
	return names
}

// Load reads a conversation that Files lists.
func Load(name string) (*wiretext.Conversation, error) {
	text, err := files.ReadFile("testdata/" + name + ".txt")
	if err != nil {
		return nil, fmt.Errorf("load conversation: %w", err)
	}
	c, err := wiretext.Parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", name, err)
	}
	return c, nil
}
