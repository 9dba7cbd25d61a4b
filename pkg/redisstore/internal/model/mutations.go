package model

// Mutation is one rule that is changed.
type Mutation uint8

// None changes no rule. Each other is told in the table of the tests.
const (
	None Mutation = iota
	NoFence
	NoStepFence
	FenceBlindToPlace
	EpochFence
	EpochInEntry
	CommitCancelled
	RepeatUnasked
	StaleUnasked
	LoadUnasked
	LoadTakes
	LoadBlindToEntry
	StraysStay
	ReadUnchecked
	HoldUnchecked
	VersionIsLength
	KeepEntry
	ParkedNotCounted
	PlacePausedInQueue
	SettlePausedToo
	DropKeepsLive
	LateGoesOn
	JoinEarly
	QuorumBlind
	DepositByIndex
	FinishTheFailed
	UndoneStays
	UndoUnmarked
	UndoDropsHeld
	UndoForgetsLost
	DeltaLost
	BatonAcrossQueues
	KeptUnread
	EndKeepsFrame
	ClosedUnmarked
	NothingFiresNothing
	SpreadUncounted
	ChunkKeepsStep
	ReleaserIsOne
	RetryForgetsCrashes
	RetryKeepsCrashes
	HandbackForgetsCrashes
	FailLeavesFrame
	LostHandback
	ClaimsCount
	CrashUncounted
	ReclaimKeepsOwner
	NoReclaim
	UnclaimBlind
	RenewBlind
	SweepPending
	ControlRepeated
	ControlUnmarked
	StartUnasked
	RestartKeepsState
	RestartSameName
	DeleteTokens
	SignalRepeated
	SignalLeavesTimer
	SignalUnkept
	PromoteBlind
	PromoteLeavesTimer
	DeadlineUnasked
	UnmarkFromMemory
	PurgeFromMemory
	FenceByEntry
	JoinRides
	GroupAtEnd
	KeepPaused
	FinishEarly
	AttemptUnfenced
	RetryWhilePurged
	FoldWhilePurged
	DeleteLive
	CancelledStaysMarked
	ControlLate
	SignalLate
	DeleteLate
	SentUnasked
	mutations // the number of them
)
