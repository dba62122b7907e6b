package mysqlwire

var errorCodes = []ErrorCode{}
