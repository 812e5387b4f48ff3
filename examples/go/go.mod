module github.com/keystonedb/kstone/examples/go

go 1.24

require github.com/keystonedb/kstone/bindings/go v0.0.0

replace github.com/keystonedb/kstone/bindings/go => ../../bindings/go
