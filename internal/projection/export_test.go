package projection

var (
	AppendString    = appendString
	AppendUnescaped = appendUnescaped
	Integer         = integer
)
