@echo off
rem Builds what is stale (Release) and runs the command line. A warm start compares one time stamp and starts the program directly.
setlocal
set "root=%~dp0"
set "program=%root%artifacts\bin\Paddock.Cli\release\Paddock.Cli.dll"
set "stamp=%root%artifacts\.built"
where dotnet >nul 2>nul
if errorlevel 1 (
    echo paddock: the .NET 10 SDK is needed: 'dotnet' is not on PATH ^(see https://dot.net^) 1>&2
    exit /b 1
)
if not exist "%program%" goto build
if not exist "%stamp%" goto build
powershell -NoProfile -Command "$s=(Get-Item -Force '%stamp%').LastWriteTimeUtc; $n=Get-ChildItem -Recurse '%root%src','%root%models','%root%recipes','%root%eng' | Where-Object { $_.LastWriteTimeUtc -gt $s } | Select-Object -First 1; $d=Get-ChildItem '%root%Directory.*','%root%global.json' | Where-Object { $_.LastWriteTimeUtc -gt $s } | Select-Object -First 1; if ($n -or $d) { exit 1 }"
if errorlevel 1 goto build
goto start

:build
if not exist "%root%artifacts" mkdir "%root%artifacts"
type nul > "%stamp%.new"
echo paddock: building ... 1>&2
dotnet build "%root%src\Paddock.Cli" -c Release -v q --nologo -p:RunAnalyzers=false 1>&2
if errorlevel 1 (
    echo paddock: the build failed 1>&2
    exit /b 1
)
move /y "%stamp%.new" "%stamp%" >nul

:start
dotnet "%program%" %*
exit /b %errorlevel%
