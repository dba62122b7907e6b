package sqltext

import "testing"

func TestMask(t *testing.T) {
	for _, tt := range []struct{ name, sql, want string }{
		{"new account", "CREATE USER 'a'@'%' IDENTIFIED BY 'pw'", "CREATE USER 'a'@'%' IDENTIFIED BY '***'"},
		{"two of them", `create user a identified by "p""w", 'b'@'h' identified by 'x\'y'`, "create user a identified by '***', 'b'@'h' identified by '***'"},
		{"plugin and hash", "ALTER USER a IDENTIFIED WITH x AS 0xAB12", "ALTER USER a IDENTIFIED WITH x AS '***'"},
		{"old password", "/* c */ ALTER USER a IDENTIFIED BY 'n' REPLACE 'o'", "/* c */ ALTER USER a IDENTIFIED BY '***' REPLACE '***'"},
		{"set password", "SET PASSWORD FOR 'a'@'h' = PASSWORD('pw')", "SET PASSWORD FOR 'a'@'h' = PASSWORD('***')"},
		{"replication", "CHANGE MASTER TO MASTER_HOST='h', MASTER_PASSWORD='pw'", "CHANGE MASTER TO MASTER_HOST='h', MASTER_PASSWORD='***'"},
		{"cut in the middle", `GRANT ALL ON *.* TO a IDENTIFIED BY 'secr`, `GRANT ALL ON *.* TO a IDENTIFIED BY '***'`},
		{"an application's own column", "SELECT 1 FROM t WHERE password = 'pw'", "SELECT 1 FROM t WHERE password = 'pw'"},
		{"an application's own setting", "SET @password = 'x'", "SET @password = 'x'"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Mask(tt.sql); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}
