package s3

import (
	"context"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// acceptEncoding is the header that Google's front ends change before they check the
// signature, while the SDK signs it.
const acceptEncoding = "Accept-Encoding"

type savedHeader struct{}

// signWithoutAcceptEncoding takes the header away before a request is signed and puts it
// back behind.
func signWithoutAcceptEncoding(stack *middleware.Stack) error {
	remove := middleware.FinalizeMiddlewareFunc("HideAcceptEncoding", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
		if r, ok := in.Request.(*smithyhttp.Request); ok {
			ctx = middleware.WithStackValue(ctx, savedHeader{}, r.Header.Get(acceptEncoding))
			r.Header.Del(acceptEncoding)
		}
		return next.HandleFinalize(ctx, in)
	})
	restore := middleware.FinalizeMiddlewareFunc("ShowAcceptEncoding", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
		if r, ok := in.Request.(*smithyhttp.Request); ok {
			if v, ok := middleware.GetStackValue(ctx, savedHeader{}).(string); ok && v != "" {
				r.Header.Set(acceptEncoding, v)
			}
		}
		return next.HandleFinalize(ctx, in)
	})
	if err := stack.Finalize.Insert(remove, "Signing", middleware.Before); err != nil {
		return err
	}
	return stack.Finalize.Insert(restore, "Signing", middleware.After)
}
