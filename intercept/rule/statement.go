package rule

import "mydbg/intercept/sqltext"

var (
	textFields   = Set("sql")
	digestFields = Set("digest", "digest_text")
	parsedFields = Set("verb", "tables", "comment", "write", "ddl")
)

// FillSQL sets the fields that follow from a statement's text, working out only those in uses.
// Its slices and maps are shared with other events of the same text.
func (env *Env) FillSQL(sql string, uses FieldSet) {
	if uses.Has(textFields) {
		env.SQL = sql
	}
	if uses.Has(digestFields) {
		env.Digest, env.DigestText = sqltext.Digest(sql)
	}
	if uses.Has(parsedFields) {
		info := sqltext.Parse(sql)
		env.Verb, env.Tables, env.Comment, env.Write, env.DDL = info.Verb, info.Tables, info.Comments, info.Write, info.DDL
	}
}
