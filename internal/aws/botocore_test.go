package aws

// botocoreSignatures are of GET requests to localhost:4573, signed at testTime.
var botocoreSignatures = []struct{ service, target, signature string }{
	{"glue", "/", "600480323c6f54af4924030d9d14abab8a704c41e19c878be87cac2fbbf03329"},
	{"glue", "/a//b", "20d64e1d99aa4ea1ff2081ba661e3043b194b3cd0cd730c70f7f0d492dcec6bf"},
	{"glue", "/a/./b/", "af8c6a5fe168c80f9d5818f5d30becf2e6eaa692575dbc75ec046fd46bfe6445"},
	{"glue", "/a/../b", "be460fdb9738cbecfca8c28d02e6796e7de0ff2e45e05bf7202ca8a6dab2fdfd"},
	{"glue", "/../..//x/", "5d546c90f1814dd969a459196dc26eb4e52ca4445cfa2eec219e43dcbf390ecb"},
	{"glue", "/arn%3Aaws%3Ax/a%2Fb", "bc0c17a85592c3d50d44146f045038cf6ae7581e3ebb11fe96bb02e50e0f25eb"},
	{"glue", "/a%20b/~x?q=a%20b&p=%2F&e=", "4cabca11c05426740f19be6f98c4a1098d8fa3e776a64ff219fb97c4d65c361a"},
	{"glue", "/a!b?z=1&a=2&A=3&a=1", "fa29260aa6725e4025cdc916c38a3677f78ec31bb5e38db39c821ec84ba5b65f"},
	{"s3", "/", "2973403f978fdab74babb0a4daeee96eded317bc343a34322e560d7dc007f3bc"},
	{"s3", "/a//b", "3bfdc265668891e93962b66732ec8c7595ce8cbc1d6fa24708f8e571d61d07db"},
	{"s3", "/a/./b/", "224fb5aa3a40bbaf0c7b290f83c1724387b1d157838ab7962505008f309a0639"},
	{"s3", "/a/../b", "3f9947cc7d2118384c326ac9d3ad43f20c037d72581caf092e44bb99546ca452"},
	{"s3", "/../..//x/", "4c80f4d6025d476ae5f630d67c1c1796a233738df6012c2983005e7dc16c9145"},
	{"s3", "/arn%3Aaws%3Ax/a%2Fb", "7efe25be38585b7f86cae29dd708c50bcb86af240a68f0f8f7064a9601fadca8"},
	{"s3", "/a%20b/~x?q=a%20b&p=%2F&e=", "e3856d7cede6b453b272a990c39324f28b9868334b3b1089c165a61c3aeb64d1"},
	{"s3", "/a!b?z=1&a=2&A=3&a=1", "106a7767d616cdd6d2f9d6e4019e86cf7bf319f3c2fe2eb10b9d64c38552094b"},
}
