// Package sqltoken takes SQL text apart into the tokens that MySQL Proxy's scripts know, with the
// numbers and the oddities they rely on: words glued to a parenthesis are functions, "#" begins no
// comment, backslashes in strings are kept. It is no parser and needs none: any text has tokens.
package sqltoken

import "strings"

// ID is what a token is. The numbers are those of MySQL Proxy 0.8.
type ID int

// The tokens that are no keywords.
const (
	Unknown ID = iota
	LE
	GE
	LT
	GT
	EQ
	NE
	String
	Comment
	Literal
	Function
	Integer
	Float
	Dot
	Comma
	Assign
	OBrace
	CBrace
	Semicolon
	Star
	Plus
	Minus
	Div
	BitwiseAnd
	BitwiseOr
	BitwiseXor
	LogicalAnd
	LogicalOr
	firstKeyword
)

// CommentMySQL is a comment that a server executes, /*! ... */.
const CommentMySQL ID = 261

var symbols = [firstKeyword]string{
	"UNKNOWN", "LE", "GE", "LT", "GT", "EQ", "NE", "STRING", "COMMENT", "LITERAL", "FUNCTION", "INTEGER",
	"FLOAT", "DOT", "COMMA", "ASSIGN", "OBRACE", "CBRACE", "SEMICOLON", "STAR", "PLUS", "MINUS", "DIV",
	"BITWISE_AND", "BITWISE_OR", "BITWISE_XOR", "LOGICAL_AND", "LOGICAL_OR",
}

var (
	names  = make([]string, CommentMySQL+1)
	byWord = map[string]ID{}
)

// longestWord is the length of the longest keyword.
const longestWord = len("MASTER_SSL_VERIFY_SERVER_CERT")

func init() {
	for i, s := range symbols {
		names[i] = "TK_" + s
	}
	for i, w := range strings.Fields(keywords) {
		id := firstKeyword + ID(i)
		names[id], byWord[w] = "TK_SQL_"+w, id
	}
	names[CommentMySQL] = "TK_COMMENT_MYSQL"
}

// Name is the token's name, such as TK_SQL_SELECT; "" if there is no such token.
func (id ID) Name() string {
	if id < 0 || int(id) >= len(names) {
		return ""
	}
	return names[id]
}

// Token is one token. Text is without the quotes of strings and names and the marks of comments.
type Token struct {
	ID   ID
	Text string
}

// Tokenize takes sql apart. White space is no token.
func Tokenize(sql string) []Token {
	s := scanner{src: sql}
	for s.at < len(sql) {
		s.next()
	}
	return s.tokens
}
