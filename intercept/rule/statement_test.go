package rule

import "testing"

func TestFillSQLWorksOutWhatIsAsked(t *testing.T) {
	const sql = "UPDATE shop.stock SET qty = 1 /*route='/checkout'*/"
	e, err := Compile(`"stock" in tables and verb == "update" and write and comment.route == "/checkout"`)
	if err != nil {
		t.Fatal(err)
	}
	var env Env
	env.FillSQL(sql, e.Uses())
	if ok, err := e.Eval(&env); !ok || err != nil {
		t.Errorf("got %v, %v", ok, err)
	}
	if env.SQL != "" || env.Digest != "" || env.DigestText != "" {
		t.Errorf("filled too much: %+v", env)
	}
	env.FillSQL(sql, Set("digest"))
	if len(env.Digest) != digestLen || env.DigestText != "UPDATE `shop` . `stock` SET `qty` = ?" {
		t.Errorf("got %s, %s", env.Digest, env.DigestText)
	}
}
