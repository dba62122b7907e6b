package value

// Value is one column value or parameter. Its dynamic type is one of
//
//	nil      NULL
//	int64    signed integers
//	uint64   unsigned integers and YEAR
//	float32  FLOAT
//	float64  DOUBLE
//	[]byte   strings, blobs, DECIMAL, JSON, ENUM, SET, BIT (big-endian), GEOMETRY, VECTOR
//	Moment   DATE, DATETIME, TIMESTAMP
//	Clock    TIME
//
// Functions that write a value also take the []byte of its text for any type, and integers and
// floating point numbers for each other where nothing is lost.
type Value any

// NoDecimals stands for a number of decimals that is not fixed or not known.
const NoDecimals = 31

// class groups types that share forms.
type class uint8

const (
	unknown class = iota
	null
	integer
	float
	decimal
	bytes
	moment
	clock
)

// InDigits reports whether values of t are numbers or times, written in digits and a few signs.
func (t Type) InDigits() bool {
	switch t.class() {
	case integer, float, decimal, moment, clock:
		return true
	}
	return false
}

func (t Type) class() class {
	switch t {
	case Null:
		return null
	case Tiny, Short, Long, Int24, LongLong, Year:
		return integer
	case Float, Double:
		return float
	case Decimal, NewDecimal:
		return decimal
	case Date, DateTime, Timestamp:
		return moment
	case Time:
		return clock
	case VarChar, Bit, Vector, JSON, Enum, Set, TinyBlob, MediumBlob, LongBlob, Blob, VarString, String, Geometry:
		return bytes
	}
	return unknown
}
