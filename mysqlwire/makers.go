package mysqlwire

// makers has a constructor for every kind with a form of its own; the other kinds are Unknown.
var makers = [kinds]func() Message{
	KindColumn: func() Message { return &Column{} },
	KindParam:  func() Message { return &Column{} },
}
