// Package value reads and writes column values and statement parameters in MySQL's two forms:
// the text of COM_QUERY results and the binary form of prepared statements.
// It knows nothing of packets; package mysqlwire cuts the bytes and calls it.
package value

import "strconv"

// Type is a MYSQL_TYPE_ number of column definitions and parameters.
type Type uint8

const (
	Decimal    Type = 0
	Tiny       Type = 1
	Short      Type = 2
	Long       Type = 3
	Float      Type = 4
	Double     Type = 5
	Null       Type = 6
	Timestamp  Type = 7
	LongLong   Type = 8
	Int24      Type = 9
	Date       Type = 10
	Time       Type = 11
	DateTime   Type = 12
	Year       Type = 13
	NewDate    Type = 14
	VarChar    Type = 15
	Bit        Type = 16
	Timestamp2 Type = 17
	DateTime2  Type = 18
	Time2      Type = 19
	TypedArray Type = 20
	Vector     Type = 242
	Invalid    Type = 243
	Bool       Type = 244
	JSON       Type = 245
	NewDecimal Type = 246
	Enum       Type = 247
	Set        Type = 248
	TinyBlob   Type = 249
	MediumBlob Type = 250
	LongBlob   Type = 251
	Blob       Type = 252
	VarString  Type = 253
	String     Type = 254
	Geometry   Type = 255
)

var names = map[Type]string{
	Decimal: "DECIMAL", Tiny: "TINY", Short: "SHORT", Long: "LONG", Float: "FLOAT", Double: "DOUBLE", Null: "NULL",
	Timestamp: "TIMESTAMP", LongLong: "LONGLONG", Int24: "INT24", Date: "DATE", Time: "TIME", DateTime: "DATETIME",
	Year: "YEAR", NewDate: "NEWDATE", VarChar: "VARCHAR", Bit: "BIT", Timestamp2: "TIMESTAMP2", DateTime2: "DATETIME2",
	Time2: "TIME2", TypedArray: "TYPED_ARRAY", Vector: "VECTOR", Invalid: "INVALID", Bool: "BOOL", JSON: "JSON",
	NewDecimal: "NEWDECIMAL", Enum: "ENUM", Set: "SET", TinyBlob: "TINY_BLOB", MediumBlob: "MEDIUM_BLOB",
	LongBlob: "LONG_BLOB", Blob: "BLOB", VarString: "VAR_STRING", String: "STRING", Geometry: "GEOMETRY",
}

// String is MySQL's name without MYSQL_TYPE_, or the number of a type nobody knows.
func (t Type) String() string {
	if n, ok := names[t]; ok {
		return n
	}
	return "type " + strconv.Itoa(int(t))
}
