// Command mydbg is an interactive terminal debugger for MySQL and MariaDB traffic.
package main

func main() {}
