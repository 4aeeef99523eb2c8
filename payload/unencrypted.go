package payload

import (
	"context"

	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"
	updatepb "go.temporal.io/api/update/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
)

// reportUnencrypted counts each message that is not encrypted in a workflow task of a worker with
// keys, and logs a warning for the message. The worker still handles such a message, because a
// refused message would be lost.
func (e *Encryption) reportUnencrypted(ctx context.Context, reply any) {
	var task *workflowservice.PollWorkflowTaskQueueResponse
	switch reply := reply.(type) {
	case *workflowservice.PollWorkflowTaskQueueResponse:
		task = reply
	case *workflowservice.RespondWorkflowTaskCompletedResponse:
		task = reply.GetWorkflowTask()
	}
	for _, message := range unencryptedMessages(task) {
		e.unencrypted.Add(ctx, 1)
		e.logger.WarnContext(ctx, "a message is not encrypted; give the encryption keys to its sender",
			"workflow", task.GetWorkflowExecution().GetWorkflowId(), "message", message)
	}
}

// unencryptedMessages returns the names of those new messages of the task that are not encrypted. A
// message that an earlier workflow task contained is not new.
func unencryptedMessages(task *workflowservice.PollWorkflowTaskQueueResponse) []string {
	var names []string
	for _, event := range task.GetHistory().GetEvents() {
		if event.GetEventId() <= task.GetPreviousStartedEventId() {
			continue
		}
		if name, input := messageOf(event); isClear(input) {
			names = append(names, name)
		}
	}
	for _, m := range task.GetMessages() {
		var update updatepb.Request
		if !m.GetBody().MessageIs(&update) || m.GetBody().UnmarshalTo(&update) != nil {
			continue
		}
		if isClear(update.GetInput().GetArgs()) {
			names = append(names, update.GetInput().GetName())
		}
	}
	return names
}

// The input of a run that continues another run is not a message, because a worker wrote it.
func messageOf(event *historypb.HistoryEvent) (name string, input *commonpb.Payloads) {
	if signal := event.GetWorkflowExecutionSignaledEventAttributes(); signal != nil {
		return signal.GetSignalName(), signal.GetInput()
	}
	if start := event.GetWorkflowExecutionStartedEventAttributes(); start != nil && start.GetContinuedExecutionRunId() == "" {
		return "start", start.GetInput()
	}
	return "", nil
}

func isClear(input *commonpb.Payloads) bool {
	for _, p := range input.GetPayloads() {
		if !IsEncrypted(p) && string(p.GetMetadata()[converter.MetadataEncoding]) != converter.MetadataEncodingNil {
			return true
		}
	}
	return false
}
