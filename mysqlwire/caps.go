package mysqlwire

import "strings"

// Caps is a set of capability flags. The low 32 bits are MySQL's CLIENT_ flags, the high 32
// MariaDB's extended ones.
type Caps uint64

const (
	LongPassword               Caps = 1 << 0 // MariaDB calls it CLIENT_MYSQL: clear in a greeting means extended flags follow
	FoundRows                  Caps = 1 << 1
	LongFlag                   Caps = 1 << 2
	ConnectWithDB              Caps = 1 << 3
	NoSchema                   Caps = 1 << 4
	Compress                   Caps = 1 << 5
	ODBC                       Caps = 1 << 6
	LocalFiles                 Caps = 1 << 7
	IgnoreSpace                Caps = 1 << 8
	Protocol41                 Caps = 1 << 9
	Interactive                Caps = 1 << 10
	SSL                        Caps = 1 << 11
	IgnoreSigpipe              Caps = 1 << 12
	Transactions               Caps = 1 << 13
	Reserved                   Caps = 1 << 14
	SecureConnection           Caps = 1 << 15
	MultiStatements            Caps = 1 << 16
	MultiResults               Caps = 1 << 17
	PSMultiResults             Caps = 1 << 18
	PluginAuth                 Caps = 1 << 19
	ConnectAttrs               Caps = 1 << 20
	PluginAuthLenencClientData Caps = 1 << 21
	CanHandleExpiredPasswords  Caps = 1 << 22
	SessionTrack               Caps = 1 << 23
	DeprecateEOF               Caps = 1 << 24
	OptionalResultsetMetadata  Caps = 1 << 25
	ZstdCompressionAlgorithm   Caps = 1 << 26
	QueryAttributes            Caps = 1 << 27
	MultiFactorAuthentication  Caps = 1 << 28
	CapabilityExtension        Caps = 1 << 29
	SSLVerifyServerCert        Caps = 1 << 30
	RememberOptions            Caps = 1 << 31
	MariaDBProgress            Caps = 1 << 32
	MariaDBComMulti            Caps = 1 << 33
	MariaDBStmtBulkOperations  Caps = 1 << 34
	MariaDBExtendedMetadata    Caps = 1 << 35
	MariaDBCacheMetadata       Caps = 1 << 36
	MariaDBBulkUnitResults     Caps = 1 << 37
)

var capNames = [...]string{
	"LONG_PASSWORD", "FOUND_ROWS", "LONG_FLAG", "CONNECT_WITH_DB", "NO_SCHEMA", "COMPRESS", "ODBC", "LOCAL_FILES",
	"IGNORE_SPACE", "PROTOCOL_41", "INTERACTIVE", "SSL", "IGNORE_SIGPIPE", "TRANSACTIONS", "RESERVED", "SECURE_CONNECTION",
	"MULTI_STATEMENTS", "MULTI_RESULTS", "PS_MULTI_RESULTS", "PLUGIN_AUTH", "CONNECT_ATTRS", "PLUGIN_AUTH_LENENC_CLIENT_DATA",
	"CAN_HANDLE_EXPIRED_PASSWORDS", "SESSION_TRACK", "DEPRECATE_EOF", "OPTIONAL_RESULTSET_METADATA",
	"ZSTD_COMPRESSION_ALGORITHM", "QUERY_ATTRIBUTES", "MULTI_FACTOR_AUTHENTICATION", "CAPABILITY_EXTENSION",
	"SSL_VERIFY_SERVER_CERT", "REMEMBER_OPTIONS", "MARIADB_PROGRESS", "MARIADB_COM_MULTI", "MARIADB_STMT_BULK_OPERATIONS",
	"MARIADB_EXTENDED_METADATA", "MARIADB_CACHE_METADATA", "MARIADB_BULK_UNIT_RESULTS",
}

// Has reports whether all flags of want are set.
func (c Caps) Has(want Caps) bool { return c&want == want }

// Names lists the set flags by MySQL's names, lowest bit first.
func (c Caps) Names() []string {
	var names []string
	for i := range 64 {
		if c>>i&1 == 0 {
			continue
		}
		if i < len(capNames) {
			names = append(names, capNames[i])
		} else {
			names = append(names, "bit "+itoa(i))
		}
	}
	return names
}

func (c Caps) String() string { return strings.Join(c.Names(), " ") }
