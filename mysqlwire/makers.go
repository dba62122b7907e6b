package mysqlwire

// makers has a constructor for every kind with a form of its own; the other kinds are Unknown.
var makers = [kinds]func() Message{
	KindGreeting:     func() Message { return &Greeting{} },
	KindSSLRequest:   func() Message { return &SSLRequest{} },
	KindLogin:        func() Message { return &Login{} },
	KindColumn:       func() Message { return &Column{} },
	KindParam:        func() Message { return &Column{} },
	KindQuery:        func() Message { return &Query{} },
	KindStmtPrepare:  func() Message { return &StmtPrepare{} },
	KindStmtExecute:  func() Message { return &StmtExecute{} },
	KindOtherCommand: func() Message { return &OtherCommand{} },
}
