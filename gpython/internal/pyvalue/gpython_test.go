package pyvalue_test

// The programs of these tests need the instructions that call this package, which gpython installs.
import _ "github.com/go-execnet/execnet/gpython"
