package opportunity

// OperatorCommand is a message of an operator that takes effect at once, before the commands that
// wait.
type OperatorCommand interface {
	Message
	// WithRequestID returns the same operator command under another request id.
	WithRequestID(id string) OperatorCommand
}

// IsOperatorCommand reports whether verb is the name of an operator command.
func IsOperatorCommand(verb MessageName) bool {
	switch verb {
	case MessagePause, MessageResume, MessageRetry, MessageConfirm, MessageSkip, MessageRefresh, MessageSnooze, MessageCancelFollowUp, MessageClose:
		return true
	}
	return false
}

// DecodeOperatorCommand reads the payload of the operator command whose name is verb, as strictly
// as Decode.
func DecodeOperatorCommand(verb MessageName, payload []byte) (OperatorCommand, error) {
	return decodeOperatorCommand(verb, payload, strictDecoding)
}

// decoding says how strictly a payload is read.
type decoding bool

const (
	strictDecoding decoding = false
	looseDecoding  decoding = true
)

func decodeOperatorCommand(verb MessageName, payload []byte, how decoding) (OperatorCommand, error) {
	switch verb {
	case MessagePause:
		return parseOperatorCommand[Pause](payload, how)
	case MessageResume:
		return parseOperatorCommand[Resume](payload, how)
	case MessageRetry:
		return parseOperatorCommand[Retry](payload, how)
	case MessageConfirm:
		return parseOperatorCommand[Confirm](payload, how)
	case MessageSkip:
		return parseOperatorCommand[Skip](payload, how)
	case MessageRefresh:
		return parseOperatorCommand[Refresh](payload, how)
	case MessageSnooze:
		return parseOperatorCommand[Snooze](payload, how)
	case MessageCancelFollowUp:
		return parseOperatorCommand[CancelFollowUp](payload, how)
	case MessageClose:
		return parseOperatorCommand[Close](payload, how)
	}
	return nil, Invalidf("there is no message called %s; known are %s", RedactedName(verb), knownMessageNames())
}

func parseOperatorCommand[I OperatorCommand](payload []byte, how decoding) (OperatorCommand, error) {
	var i I
	var err error
	if how == looseDecoding {
		if err = decodeStrict(payload, &i); err == nil {
			err = i.Validate()
		}
	} else {
		i, err = DecodeStrict[I](payload)
	}
	if err != nil {
		return nil, err
	}
	return i, nil
}
