// Package serializer turns Python values into bytes and Go values, in the format of Python's execnet.
package serializer
